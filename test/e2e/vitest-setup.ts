import { buildIfStale } from '../contract/built-window.ts'
import { BROWSER_PACKAGES, ensurePackages } from '../lab/packages.ts'
import { setup as setUpLab } from '../lab/vitest-setup.ts'

/** The browser, the built window, and the lab that the lab tests use too. */
export async function setup(): Promise<() => Promise<void>> {
  await ensurePackages((line) => console.log(line), BROWSER_PACKAGES)
  buildIfStale()
  return setUpLab()
}
