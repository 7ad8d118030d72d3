import type { PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { PreflightView, RestoreQuestion } from '../../src/shared/views/job-view.ts'
import type { FakeData } from './fake-data.ts'

/** What a host would say before a restore, for pictures. */
export function fakePreflight(
  { point: id, to, mode }: RestoreQuestion,
  { points, hosts }: FakeData,
  isInTheWay: boolean
): PreflightView {
  const point = points.points.find((each) => each.id === id)
  const vms = hosts.find(({ name }) => name === to)?.vms ?? []
  const replaces = mode === 'copy' ? undefined : vms.find(({ uuid }) => uuid === point?.vm.uuid)
  const isThere = point?.places.some(({ host }) => host === to) === true
  const items: readonly PreflightItem[] = [
    { check: 'machine type', state: 'ok', text: 'pc-q35-7.2 is known here' },
    { check: 'CPU', state: 'ok', text: 'EPYC-Milan with all features of the point' },
    isInTheWay
      ? {
          check: 'room',
          state: 'problem',
          text: '/var/lib/libvirt/images has 3.0 GiB free, and 40 GiB are needed',
          fix: 'Make room there, or restore to another host.'
        }
      : { check: 'room', state: 'ok', text: '/var/lib/libvirt/images has room for the disks' },
    replaces === undefined
      ? { check: 'existing VM', state: 'ok', text: 'no VM of this UUID or name' }
      : { check: 'existing VM', state: 'warning', text: `VM ${replaces.name} will be stopped and replaced` },
    { check: 'networks', state: 'warning', text: 'network default will be made as it was on the point’s host' }
  ]
  return {
    items: [...items],
    bytesToMove: isThere ? 0 : (point?.sizeBytes ?? 0),
    replaces: replaces && { name: replaces.name, uuid: replaces.uuid }
  }
}
