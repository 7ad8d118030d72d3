import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { table } from '../bench/table.ts'
import { asRoot } from '../lab/as-root.ts'
import type { Guest } from '../lab/guest.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { offerWindow } from './offer-window.ts'
import { gaps, isContiguous, isOneBoot, joinResumed, longestGapMs, type Tick } from '../lab/ticks.ts'

/**
 * `npm run demo`: two KVM hosts on this machine, a guest that counts; backed up live and by the classic method through the
 * terminal door, restored with its RAM on the other host. What the guest itself saw stands beside what was measured. Then the
 * app opens on it.
 */
const root = join(import.meta.dirname, '../..')
const say = (line: string): void => console.log(line)

interface BackupResult {
  readonly id: string
  readonly pauseMs: number
  readonly sizeBytes: number
}
interface RestoreResult {
  readonly mode: string
  readonly runningMs: number
}

async function main(): Promise<void> {
  const settings = mkdtempSync(join(tmpdir(), 'stillpoint-demo-'))
  say('Setting up the lab: two KVM hosts on this machine, nothing outside of it is touched.')
  const lab = await startLab({ name: 'demo', say })
  const stop = async (): Promise<void> => {
    await lab.stop()
    rmSync(settings, { recursive: true, force: true })
  }
  process.once('SIGINT', () => void stop().finally(() => process.exit(130)))
  try {
    await show(lab, settings)
    await offerWindow(settings, say)
  } finally {
    await stop()
    say('\nThe lab is gone again.')
  }
}

async function show(lab: Lab, settings: string): Promise<void> {
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
  for (const host of [alpha, beta])
    await stillpoint(settings, [
      'host',
      'add',
      host.name,
      `ssh://root@${host.address}`,
      '--identity',
      lab.identityFile,
      '--host-key',
      host.hostKeySha256
    ])
  say('\nStarting a guest with 1 GiB of RAM, of which it rewrites 600 MiB at 50 MB/s while it counts.')
  const guest = await alpha.defineGuest({
    name: 'counter',
    ramMiB: 1024,
    tickMs: 25,
    fillerMiB: 256,
    diskMiB: 512,
    rewrite: { mib: 600, mibPerSecond: 50 }
  })
  await guest.start()
  await guest.waitForRewriting(240_000)

  const live = await watched(guest, () =>
    stillpoint<BackupResult>(settings, ['backup', 'alpha/counter', '--method', 'live'])
  )
  const classic = await watched(guest, () =>
    stillpoint<BackupResult>(settings, ['backup', 'alpha/counter', '--method', 'classic'])
  )
  say('\nRestoring the classic point: emulated without KVM, QEMU 7.2 may miss writes to the RAM of a VM that runs on.')
  const restored = await stillpoint<RestoreResult>(settings, ['restore', classic.result.id, '--to', 'beta'])
  const there = guest.on(beta)
  await there.waitForMoreTicks(40)
  report({ live, classic, restored, joined: joinResumed(guest.ticks(), there.ticks()), resumed: there.ticks() })
}

interface Watched {
  readonly result: BackupResult
  readonly ticks: readonly Tick[]
}

/** What the guest's serial port said while the work went on, and a little after. */
async function watched(guest: Guest, work: () => Promise<BackupResult>): Promise<Watched> {
  const recorder = guest.recordTicks()
  const result = await work()
  await guest.waitForMoreTicks(10)
  return { result, ticks: recorder.stop() }
}

function report(seen: {
  live: Watched
  classic: Watched
  restored: RestoreResult
  joined: readonly Tick[]
  resumed: readonly Tick[]
}): void {
  const { live, classic, restored, joined, resumed } = seen
  const row = (name: string, { result, ticks }: Watched): string[] => [
    name,
    `${result.pauseMs.toFixed(0)} ms`,
    `${longestGapMs(ticks, 'host').toFixed(0)} ms`,
    `${(result.sizeBytes / 2 ** 20).toFixed(0)} MiB`,
    isContiguous(ticks) ? 'none missing' : `${gaps(ticks).length} gaps`
  ]
  say('\nHow long the guest stood still')
  say(
    table(
      ['method', 'measured', 'longest gap the guest saw', 'point', 'ticks'],
      [row('live', live), row('classic', classic)]
    )
  )
  say(`Live is ${(classic.result.pauseMs / live.result.pauseMs).toFixed(0)} times shorter.`)
  const [first, last] = [resumed[0]?.counter ?? 0, resumed.at(-1)?.counter ?? 0]
  say(`\nRestored on beta (${restored.mode}): running ${(restored.runningMs / 1000).toFixed(1)} s after the start.`)
  say(
    `Its counter went on from RAM: ticks ${first} to ${last} there, ${isContiguous(joined) ? 'none missing' : 'SOME MISSING'}, ${isOneBoot(joined) ? 'the same boot' : 'ANOTHER BOOT'}.`
  )
  if (!isContiguous(joined) || !isOneBoot(joined) || restored.mode !== 'resume')
    throw new Error('the demo did not show what it should')
}

/** The terminal door as a user has it; progress goes to the terminal, the result comes back. */
async function stillpoint<T>(settings: string, args: readonly string[]): Promise<T> {
  say(`\n$ stillpoint ${args.join(' ')}`)
  const child = spawn(process.execPath, [join(root, 'bin/stillpoint.mjs'), ...args, '--json'], {
    env: { ...process.env, STILLPOINT_HOME: settings },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exitCode = await new Promise((resolve) => child.on('close', resolve))
  const result = JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as T
  if (exitCode !== 0 && exitCode !== 3) throw new Error(`stillpoint ${args[0] ?? ''} failed: ${output.slice(-2000)}`)
  return result
}

await asRoot(import.meta.filename, process.argv.slice(2), () => main().then(() => 0))
