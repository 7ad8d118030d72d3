import { Modal } from '@mantine/core'
import { useWindow } from '../../state/store-context.ts'
import type { ChannelHost } from './channel-draft.ts'
import { words } from './channel-words.ts'
import type { TellingHost } from './channels-view.ts'
import { MailForm } from './mail-form.tsx'
import { WebhookForm } from './webhook-form.tsx'

/** One form for mail or webhook, for one host or several. */
export function ChannelDialog({ telling }: { readonly telling: readonly TellingHost[] }) {
  const form = useWindow((state) => state.channelForm)
  const close = useWindow((state) => state.closeChannelForm)
  const known = knownHosts(telling)
  const title = form?.channel === 'webhook' ? words.dialog.webhookTitle : words.dialog.mailTitle
  return (
    <Modal opened={form !== undefined} onClose={close} title={title} size="lg">
      {form?.channel === 'mail' && <MailForm hosts={known} first={form.host} />}
      {form?.channel === 'webhook' && <WebhookForm hosts={known} first={form.host} />}
    </Modal>
  )
}

export interface KnownHost extends ChannelHost {
  readonly isReachable: boolean
}

const knownHosts = (telling: readonly TellingHost[]): readonly KnownHost[] =>
  telling.flatMap(({ name, said }) =>
    said === undefined ? [] : [{ host: name, channels: said.channels, isReachable: said.reachable }]
  )
