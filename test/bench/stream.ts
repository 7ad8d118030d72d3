import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'

const bin = join(import.meta.dirname, '../../bin/stillpoint.mjs')

/** Points of several sizes through the controller: its memory must not grow with them. */
export async function measureStream(lab: Lab, sizesMiB: readonly number[]): Promise<string[][]> {
  const settings = mkdtempSync(join(tmpdir(), 'stillpoint-bench-'))
  const rows: string[][] = []
  try {
    for (const { name, address, hostKeySha256 } of lab.hosts)
      await stillpoint(settings, [
        'host',
        'add',
        name,
        `ssh://root@${address}`,
        '--identity',
        lab.identityFile,
        '--host-key',
        hostKeySha256
      ])
    for (const sizeMiB of sizesMiB) rows.push(await streamOne(lab, settings, sizeMiB))
    return rows
  } finally {
    rmSync(settings, { recursive: true, force: true })
  }
}

async function streamOne(lab: Lab, settings: string, sizeMiB: number): Promise<string[]> {
  const alpha = lab.host('alpha')
  const guest = await alpha.defineGuest({
    name: `bench-stream-${sizeMiB}`,
    fillerMiB: sizeMiB,
    tickMs: 25,
    diskMiB: Math.ceil(sizeMiB * 1.1) + 64
  })
  try {
    const backup = await stillpoint(settings, ['backup', `alpha/${guest.name}`])
    const { id, sizeBytes } = backup.result as { id: string; sizeBytes: number }
    const copy = await stillpoint(settings, ['copy', id, '--to', 'beta'])
    await stillpoint(settings, ['delete', id, '--yes']).catch(() => undefined)
    return [
      `${(sizeBytes / 2 ** 20).toFixed(0)} MiB`,
      `${copy.seconds.toFixed(1)} s`,
      `${(sizeBytes / 2 ** 20 / copy.seconds).toFixed(0)} MiB/s`,
      `${copy.peakMiB.toFixed(0)} MiB`
    ]
  } finally {
    await guest.undefine()
  }
}

/** The terminal door as a process of its own, with the most memory that it had. */
async function stillpoint(
  settings: string,
  args: readonly string[]
): Promise<{ result: unknown; seconds: number; peakMiB: number }> {
  const began = performance.now()
  const child = spawn(process.execPath, [bin, ...args, '--json'], {
    env: { ...process.env, STILLPOINT_HOME: settings },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  let peakMiB = 0
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const watch = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), 100)
  const exitCode = await new Promise((resolve) => child.on('close', resolve))
  clearInterval(watch)
  if (exitCode !== 0 && exitCode !== 3) throw new Error(`stillpoint ${args.join(' ')}: ${output.slice(-1000)}`)
  const result: unknown = JSON.parse(output.trim().split('\n').at(-1) ?? '{}')
  return { result, seconds: (performance.now() - began) / 1000, peakMiB }
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
