import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importPoint } from '../../src/store/point-stream.ts'
import { POINT, makePoint, temporaryStore } from '../unit/store-points.ts'

const ENGINE = join(import.meta.dirname, '../../src/engine/main.ts')

describe('the engine on a host whose connection is slow', () => {
  it('does not end before all of a point has been taken', async () => {
    const store = await temporaryStore()
    // About 70 kB: a pipe takes 64, and what is left behind it is too little for Node to hold the engine back.
    const small = Array.from({ length: 200 }, (_, n) => [`small/${n}`, Buffer.from(`file ${n}`)] as const)
    const { manifest } = await makePoint(store, { first: randomBytes(30_000), ...Object.fromEntries(small) })
    const slow = spawn('sh', ['-c', '"$@" | { sleep 3; cat; }', 'sh', process.execPath, ENGINE, 'export'], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    slow.stdin.end(`${JSON.stringify({ store, point: POINT, have: {} })}\n`)
    expect(await importPoint(await temporaryStore(), POINT, slow.stdout)).toEqual(manifest)
  })
})
