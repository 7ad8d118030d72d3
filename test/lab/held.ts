import type { LabHost } from './host.ts'
import { waitFor } from './run.ts'

const fileOf = (point: string): string => `/run/stillpoint-fault/${point}`

/** Waits until the engine stands at a fault point with action `hold`. */
export const heldAt = (host: LabHost, point: string): Promise<true> =>
  waitFor(`the engine to stand at ${point}`, async () =>
    (await host.run(['test', '-e', fileOf(point)])).exitCode === 0 ? true : undefined
  )

/** Lets it go on. */
export const letGo = (host: LabHost, point: string): Promise<string> => host.must(['rm', '--', fileOf(point)])
