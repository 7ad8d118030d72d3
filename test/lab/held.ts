import { LAB_HELD_DIR } from '../../src/shared/host-paths.ts'
import type { LabHost } from './host.ts'
import { waitFor } from './run.ts'

/** Of one job: an engine that is killed while it is held leaves its file. */
const fileOf = (point: string, job: string): string => `${LAB_HELD_DIR}/${job}/${point}`

/** Waits until the engine stands at a fault point with action `hold`. */
export const heldAt = (host: LabHost, point: string, job: string): Promise<true> =>
  waitFor(`the engine to stand at ${point}`, async () =>
    (await host.run(`ls ${fileOf(point, job)}`)).exitCode === 0 ? true : undefined
  )

/** Lets it go on. */
export const letGo = (host: LabHost, point: string, job: string): Promise<string> =>
  host.must(`rm -- ${fileOf(point, job)}`)
