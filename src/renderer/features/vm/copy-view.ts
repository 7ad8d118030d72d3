import type { HostView } from '../../../shared/views/host-view.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { words } from './words.ts'

/** Hosts that do not have the point in their own store, which is where a copy to a host goes. */
export const hostsWithout = (point: PointView, hosts: readonly HostView[]): readonly string[] =>
  hosts.map(({ name }) => name).filter((name) => !point.places.some(({ label }) => label === name))

/** What is wrong with a directory of this computer, in words. Nothing is said about an empty one. */
export function directoryProblem(directory: string): string | undefined {
  if (directory === '' || directory.startsWith('/') || /^[A-Za-z]:[\\/]/.test(directory)) return undefined
  return words.copy.problem
}
