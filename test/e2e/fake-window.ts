import { errorLog } from '../../src/main/doors/error-log.ts'
import { openBrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { contract } from '../../src/shared/contract.ts'
import { built, buildIfStale } from '../contract/built-window.ts'
import { fakeCore, liveOf, SCENARIOS, type Scenario } from './fake-core.ts'

/** `node test/e2e/fake-window.ts [SCENARIO] [PORT]`: the built window on made-up data, to look at. Ends with Ctrl-C. */
const [scenario = 'small', port = '0'] = process.argv.slice(2)
if (!SCENARIOS.includes(scenario as Scenario)) throw new Error(`one of ${SCENARIOS.join(', ')}`)
buildIfStale()
const core = fakeCore(scenario as Scenario)
const door = await openBrowserDoor(contract, core.handlers, {
  port: Number(port),
  rendererRoot: built.renderer,
  report: errorLog('/tmp')
})
console.log(door.address())

/** The job that runs gives signs of life, so that it does not stall while somebody looks at it. */
const begun = Date.now()
setInterval(() => {
  const [job] = core.jobs.value ?? []
  if (job === undefined || job.endedAt !== undefined) return
  const now = new Date()
  const moved = liveOf(job, 0.42 + (0.5 * ((now.getTime() - begun) % 100_000)) / 100_000, now)
  core.live.set((core.live.value ?? []).map((live) => (live.id === job.id ? moved : live)))
}, 1000)
