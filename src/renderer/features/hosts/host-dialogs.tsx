import { useWindow } from '../../state/store-context.ts'
import { DoctorDialog } from './doctor-dialog.tsx'
import { HostKeyDialog } from './host-key-dialog.tsx'
import { RemoveHostDialog } from './remove-host-dialog.tsx'

/** Whichever dialog about a host is open. */
export function HostDialogs() {
  const dialog = useWindow((state) => state.hostDialog)
  const close = useWindow((state) => state.closeHostDialog)
  const askDoctor = useWindow((state) => state.askDoctor)
  const removeHost = useWindow((state) => state.removeHost)
  const acceptHostKey = useWindow((state) => state.acceptHostKey)
  if (dialog === undefined) return undefined
  if (dialog.kind === 'doctor') return <DoctorDialog dialog={dialog} onAsk={askDoctor} onClose={close} />
  if (dialog.kind === 'remove') return <RemoveHostDialog dialog={dialog} onRemove={removeHost} onClose={close} />
  return <HostKeyDialog dialog={dialog} onAccept={acceptHostKey} onClose={close} />
}
