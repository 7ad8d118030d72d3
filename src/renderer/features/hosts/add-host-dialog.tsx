import { Modal, Stepper } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import type { AddHost, AddHostStep } from './add-host.ts'
import { KeyStep } from './key-step.tsx'
import { LoginStep } from './login-step.tsx'
import { LookStep } from './look-step.tsx'
import { PlacingStep } from './placing-step.tsx'
import { words } from './words.ts'

const STEPS: readonly AddHostStep['at'][] = ['login', 'key', 'look', 'placing']

/** Adds a host, one question after the other. Mounted once, by the frame: it can be opened from anywhere. */
export function AddHostDialog() {
  const addHost = useWindow((state) => state.addHost)
  const close = useWindow((state) => state.closeAddHost)
  return (
    <Modal opened={addHost !== undefined} onClose={close} title={words.add.title} size="lg" closeOnClickOutside={false}>
      {addHost !== undefined && (
        <>
          <Stepper
            active={STEPS.indexOf(addHost.step.at)}
            size="xs"
            mb="lg"
            allowNextStepsSelect={false}
            aria-label={words.add.stepsLabel}
          >
            {STEPS.map((step) => (
              <Stepper.Step key={step} label={words.add.steps[step]} component="div" />
            ))}
          </Stepper>
          <CurrentStep addHost={addHost} />
        </>
      )}
    </Modal>
  )
}

function CurrentStep({ addHost }: { readonly addHost: AddHost }) {
  const hosts = useWindow((state) => state.hosts) ?? []
  const { editLogin, probeHost, vouchForKey, acceptNewKey, backToLogin, placeHost } = useErrands()
  const { step, draft, isBusy, failure } = addHost
  const name = safeText(draft.name)
  if (step.at === 'login') return <LoginStep addHost={addHost} hosts={hosts} onEdit={editLogin} onConnect={probeHost} />
  if (step.at === 'key')
    return (
      <KeyStep
        {...{ name, isBusy, failure, failing: step.key }}
        onVouch={vouchForKey}
        onAccept={acceptNewKey}
        onBack={backToLogin}
      />
    )
  if (step.at === 'look')
    return (
      <LookStep
        {...{ probe: step.probe, isBusy, failure }}
        onAgain={probeHost}
        onAdd={placeHost}
        onBack={backToLogin}
      />
    )
  const placing = hosts.find((host) => host.name === draft.name)?.placing
  return <PlacingStep {...{ name, placing, isBusy, failure }} onAgain={placeHost} onBack={backToLogin} />
}

function useErrands() {
  return {
    editLogin: useWindow((state) => state.editLogin),
    probeHost: useWindow((state) => state.probeHost),
    vouchForKey: useWindow((state) => state.vouchForKey),
    acceptNewKey: useWindow((state) => state.acceptNewKey),
    backToLogin: useWindow((state) => state.backToLogin),
    placeHost: useWindow((state) => state.placeHost)
  }
}
