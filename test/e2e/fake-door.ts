import { contract, type Handlers } from '../../src/shared/contract.ts'
import { openBrowserDoor, type BrowserDoor } from '../../src/main/doors/serve/open-browser-door.ts'
import { built } from '../contract/built-window.ts'
import { fakeCore, type FakeCore, type Scenario } from './fake-core.ts'

/** The built window over a made-up core. */
export async function openFakeDoor(
  scenario: Scenario,
  said: (handlers: Handlers) => Handlers = (handlers) => handlers
): Promise<{ door: BrowserDoor; core: FakeCore }> {
  const core = fakeCore(scenario)
  const report = (bug: object): void => console.error('bug', bug)
  const door = await openBrowserDoor(contract, said(core.handlers), { port: 0, rendererRoot: built.renderer, report })
  return { door, core }
}
