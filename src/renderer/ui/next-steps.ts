import type { Failure, FailureKind, FailureOf } from '../../shared/failure.ts'
import { openSshForgets } from '../../shared/failure-words.ts'

type Steps = { readonly [K in FailureKind]?: (failure: FailureOf<K>) => string }

/** Next steps that the terminal names by its commands and options, as the window has them. */
const steps: Steps = {
  usage: () => '',
  'host-key-unknown': () =>
    'Compare it on the host itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then take it here.',
  'host-key-changed': (failure) => {
    const command = openSshForgets(failure)
    const rebuilt = command === undefined ? 'compare the new key and take it here' : `run ${command}, then look again`
    return `If the host was rebuilt: ${rebuilt}. If nobody rebuilt it, find out who answers before going on.`
  },
  'auth-failed': ({ host, user }) =>
    `Put your public key on the host (ssh-copy-id ${user}@${host}), or name another key file.`,
  'identity-unusable': () => 'Name another key file, or load the key into ssh-agent: ssh-add FILE',
  'connection-lost': ({ reason }) =>
    reason === undefined
      ? 'Activity shows how it went, as soon as the host answers.'
      : 'Find out what answers there before going on.',
  'unsupported-host': ({ fix }) => fix ?? 'The checklist of “Add host” shows what is missing.',
  'not-found': () => 'It may have gone meanwhile. Go back, and look again.',
  ambiguous: () => '',
  'vm-busy': () => 'Wait for it, or cancel it under Activity.',
  'vm-state': () => 'Bring the VM into that state, or choose another method.',
  'foreign-work': () =>
    'Let it end, or end it with the tool that began it. Leftovers of Stillpoint itself: Hosts, the doctor of that host.',
  'state-not-savable': () => 'Back up its disks only.',
  'no-room': () => 'Make room there (delete points that are no longer needed), or choose another place.',
  'too-busy': () => 'Try at a quieter time, allow a longer pause, or say what to do when the VM is too busy.',
  'vm-exists': () => 'To restore in its place, allow it to be replaced: its disks and definition are then kept aside.',
  interrupted: ({ job, leftover }) =>
    leftover === undefined
      ? `Start the ${job} again.`
      : 'Hosts, the doctor of that host: it shows what is left and repairs it.',
  'point-damaged': () => 'Use another point, or a copy of this one in another place.'
}

/** The next step in the window's words; undefined where those of every door do. */
export function windowNextStep(failure: Failure): string | undefined {
  return (steps as Record<string, ((failure: Failure) => string) | undefined>)[failure.kind]?.(failure)
}
