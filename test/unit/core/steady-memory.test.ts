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

/** Lists that come anew again and again, in place of those that are known: how much V8's heap held at most, in MiB. */
const litter = (prepare: string): number => {
  const script = `
    import { getHeapStatistics } from 'node:v8'
    ${prepare}
    const text = JSON.stringify(Array.from({ length: 2_000 }, (_, n) => ({ n, said: 'x'.repeat(n % 50) })))
    const kept = Array.from({ length: 400 }, () => JSON.parse(text))
    let most = 0
    for (let n = 0; n < 1600; n++) {
      kept[n % kept.length] = JSON.parse(text)
      most = Math.max(most, getHeapStatistics().used_heap_size)
    }
    console.log(most / 2 ** 20)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
}

/** Buffers of 64 KiB that are dropped at once, as they come from a socket: how much of them lay about at most, in MiB. */
const receive = (prepare: string): number => {
  const script = `
    ${prepare}
    let most = 0
    for (let n = 0; n < 8000; n++) {
      Buffer.allocUnsafeSlow(64 << 10).fill(n)
      came(64 << 10)
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    console.log(most / 2 ** 20)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
}

describe('the memory of the core', () => {
  it('is not filled by what came from hosts and was read, which it is by default', () => {
    const prepare = `import { cameFromHosts as came } from ${JSON.stringify(source)}`
    expect(receive(prepare)).toBeLessThan(receive('const came = () => undefined') / 3)
  })

  it('does not grow with what passes through, which it does by default', () => {
    const prepare = `import { keepYoungGenerationSmall } from ${JSON.stringify(source)}; keepYoungGenerationSmall()`
    expect(churn(prepare)).toBeLessThan(churn('') / 4)
  })

  it('does not grow to several times what is held, however often long answers come, which it does by default', () => {
    const both = `import { collectGarbageEarly, keepYoungGenerationSmall } from ${JSON.stringify(source)}`
    const small = `${both}; keepYoungGenerationSmall()`
    expect(litter(`${small}; collectGarbageEarly()`)).toBeLessThan(litter(small) / 1.5)
  })
})
