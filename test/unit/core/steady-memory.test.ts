import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const source = join(import.meta.dirname, '../../../src/main/core/steady-memory.ts')

/** Makes garbage of which a good part survives a while, and says how large V8's young generation has become, in MiB. */
const churn = (prepare: string): number => {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    ${prepare}
    let kept = []
    for (let i = 0; i < 3e6; i++) { kept.push({ i }); if (kept.length > 2e5) kept = [] }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
}

describe('the memory of the core', () => {
  it('does not grow with what passes through, which it does by default', () => {
    const prepare = `import { keepYoungGenerationSmall } from ${JSON.stringify(source)}; keepYoungGenerationSmall()`
    expect(churn(prepare)).toBeLessThan(churn('') / 4)
  })
})
