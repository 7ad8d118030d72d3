import { errorLog } from '../../src/main/doors/error-log.ts'
import { openBrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { contract } from '../../src/shared/contract.ts'
import { built, buildIfStale } from '../contract/built-window.ts'
import { fakeCore, SCENARIOS, type Scenario } from './fake-core.ts'

/** `node test/e2e/fake-window.ts [SCENARIO] [PORT]`: the built window on made-up data, to look at. Ends with Ctrl-C. */
const [scenario = 'small', port = '0'] = process.argv.slice(2)
if (!SCENARIOS.includes(scenario as Scenario)) throw new Error(`one of ${SCENARIOS.join(', ')}`)
buildIfStale()
const door = await openBrowserDoor(contract, fakeCore(scenario as Scenario).handlers, {
  port: Number(port),
  rendererRoot: built.renderer,
  report: errorLog('/tmp')
})
console.log(door.url)
