import type { OfferedChoice, PreflightItem } from '../../src/shared/engine-protocol.ts'
import { mergeChoices, type RestoreChoice } from '../../src/shared/model/restore-choice.ts'
import type { PreflightView, RestoreQuestion } from '../../src/shared/views/job-view.ts'
import type { FakeData } from './fake-data.ts'

/** What a host would say before a restore, for pictures. */
export function fakePreflight(
  question: RestoreQuestion,
  { points, hosts }: FakeData,
  isInTheWay: boolean
): PreflightView {
  const { point: id, to, mode } = question
  const point = points.points.find((each) => each.id === id)
  const vms = hosts.find(({ name }) => name === to)?.vms ?? []
  const replaces = mode === 'copy' ? undefined : vms.find(({ uuid }) => uuid === point?.vm.uuid)
  const isThere = point?.places.some(({ host }) => host === to) === true
  const items: readonly PreflightItem[] = [
    { check: 'machine type', state: 'ok', text: 'pc-q35-7.2 is known here' },
    { check: 'CPU', state: 'ok', text: 'EPYC-Milan with all features of the point' },
    { check: 'room', state: 'ok', text: '/var/lib/libvirt/images has room for the disks' },
    replaces === undefined
      ? { check: 'existing VM', state: 'ok', text: 'no VM of this UUID or name' }
      : { check: 'existing VM', state: 'warning', text: `VM ${replaces.name} will be stopped and replaced` },
    ...(isInTheWay ? [...unmet(UNMET, question), ...askingBack(question)] : []),
    ...(isInTheWay || point?.host === to ? [] : unmet(UNMET.slice(0, 1), question))
  ]
  return {
    items: [...items],
    bytesToMove: isThere ? 0 : (point?.sizeBytes ?? 0),
    replaces: replaces && { name: replaces.name, uuid: replaces.uuid }
  }
}

/** What the host does not give, in the engine's words, until something else is chosen. */
const unmet = (needs: readonly Unmet[], { choices = [] }: RestoreQuestion): readonly PreflightItem[] =>
  needs.map(({ check, text, fix, offers, done }) => {
    const chosen = offers.find((offer) => isAmong(offer.choice, choices))
    if (chosen !== undefined) return { check, state: 'ok', text: `${done(chosen)}, as chosen` }
    return { check, state: 'problem', text, fix, choices: offers }
  })

/** What the host does only with a yes, or because there was one before. */
function askingBack({ allow = [], attachDisks = [], remembered }: RestoreQuestion): readonly PreflightItem[] {
  const item = 'read=/srv/iso/virtio-win-0.1.262.iso'
  return [
    ...(allow.includes(item)
      ? []
      : [
          {
            check: 'not allowed',
            state: 'problem',
            text: 'the definition asks to read the file /srv/iso/virtio-win-0.1.262.iso [devices/disk]',
            fix: `restore with --allow '${item}' if you trust the point with that`,
            allow: item
          } as const
        ]),
    attachDisks.includes('vdb')
      ? {
          check: 'disks',
          state: 'warning',
          text: 'Disk vdb is not in the point: it stays attached as it is now (/mnt/nas/archive.qcow2)'
        }
      : {
          check: 'disks',
          state: 'warning',
          text: 'Disk vdb is not in the point and is left out of the VM: it stayed on kvm-1',
          fix: 'if /mnt/nas/archive.qcow2 is the same here and nobody else writes to it, attach it with --attach vdb',
          attach: 'vdb'
        },
    remembered === false
      ? { check: 'placement', state: 'ok', text: 'it is bound to processors that are here' }
      : {
          check: 'placement',
          state: 'warning',
          text: 'It is bound to no processor and no memory node, as chosen for this host before',
          fix: 'leave that aside with --no-remembered',
          remembered: true
        }
  ]
}

/** The same answer to the same thing. */
const isAmong = (choice: RestoreChoice, choices: readonly RestoreChoice[]): boolean =>
  choices.some((each) => JSON.stringify(mergeChoices([], [each])) === JSON.stringify([choice]))

interface Unmet {
  readonly check: string
  readonly text: string
  readonly fix: string
  readonly offers: OfferedChoice[]
  readonly done: (chosen: OfferedChoice) => string
}

const onTo = (label: string, to: string): OfferedChoice => ({
  label,
  choice: { kind: 'map-network', from: 'dmz-frankfurt', to }
})

const UNMET: readonly Unmet[] = [
  {
    check: 'networks',
    text: 'network dmz-frankfurt does not exist here',
    fix: 'make it with virsh net-define',
    offers: [
      onTo('put its cards on network default', 'default'),
      onTo('put its cards on network storage', 'storage'),
      onTo('put its cards on bridge br0', 'bridge:br0'),
      onTo('put its cards on device enp3s0f0', 'device:enp3s0f0'),
      onTo('leave its cards unplugged', 'none')
    ],
    done: ({ label }) => `cards that were on network dmz-frankfurt: ${label}`
  },
  {
    check: 'ports',
    text: 'port 4555, which its serial port wants, is taken by qemu-system-x86 (VM mail1)',
    fix: 'free it',
    offers: [{ label: 'let libvirt choose its ports', choice: { kind: 'auto-ports' } }],
    done: () => 'screens get a port of their own, and serial ports a terminal of this host'
  },
  {
    check: 'devices',
    text: 'the folder /srv/projects/customer-data/share, which it shows as projects, is not here',
    fix: 'bring /srv/projects/customer-data/share here',
    offers: [{ label: 'leave it out', choice: { kind: 'drop', device: 'folder:/srv/projects/customer-data/share' } }],
    done: () => 'the folder /srv/projects/customer-data/share is left out'
  }
]
