import { beforeAll, expect } from 'vitest'
import { qemuUserFor } from './stock-files.ts'
import { testLab } from './test-lab.ts'

/** Before a test file has the lab, its hosts become what the file wants them to be (`stock-files.ts`). */
beforeAll(async () => {
  const user = qemuUserFor(expect.getState().testPath ?? '')
  await Promise.all(testLab().hosts.map((host) => host.runQemuAs(user)))
})
