import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LabHost } from '../lab/host.ts'
import { must } from '../lab/run.ts'
import { median } from './table.ts'

const ROUNDS = 5
const CONVERT = 'qemu-img convert -W'
const CONVERT_SYNCED = 'qemu-img convert -W, then sync'
const BACKUP_DIR = '/srv/virtnbdbackup'

/** One disk of a running guest, copied in turn by each tool; every round meets the same load of the machine. */
export async function measureCopies(host: LabHost, diskMiB: number): Promise<string[][]> {
  const guest = await host.defineGuest({
    name: 'bench-copy',
    // What a file system takes for itself is a larger part of a small one.
    diskMiB: Math.ceil(diskMiB * 1.1) + 64,
    fillerMiB: diskMiB,
    tickMs: 1000
  })
  const image = join(host.tree, guest.disks[0]?.path ?? '')
  const target = join(host.tree, 'srv/bench-copy.qcow2')
  const convert = ['qemu-img', 'convert', '-U', '-W', '-f', 'qcow2', '-O', 'qcow2', image, target]
  const copy = [process.execPath, join(import.meta.dirname, 'copy.ts'), '--child', 'copyImage', image, target]
  const tools: [string, () => Promise<number>][] = [
    [CONVERT, () => timed(() => must(convert))],
    [CONVERT_SYNCED, () => timed(() => must(convert).then(() => must(['sync', '-d', target])))],
    [
      'Stillpoint (SHA-256 and sync included)',
      async () => (JSON.parse(await must(copy)) as { seconds: number }).seconds
    ],
    [
      'SHA-256 alone (openssl), the floor of any copy with a hash',
      () => timed(() => must(['openssl', 'dgst', '-sha256', image]))
    ],
    ['virtnbdbackup -l copy', () => virtnbdbackup(host, guest.name)]
  ]
  const seconds = new Map(tools.map(([name]) => [name, [] as number[]]))
  try {
    await guest.start()
    await guest.waitForTick(5)
    for (let round = 0; round <= ROUNDS; round++)
      for (const [name, run] of tools) {
        const taken = await run()
        rmSync(target, { force: true })
        if (round > 0) seconds.get(name)?.push(taken) // the first round only warms the page cache
      }
  } finally {
    await guest.destroy()
    await guest.undefine()
  }
  const speedBeside = (name: string, runs: readonly number[]): string =>
    `${(median(seconds.get(name) ?? []) / median(runs)).toFixed(2)} x`
  return [...seconds].map(([name, runs]) => [
    name,
    `${Math.min(...runs).toFixed(2)} s`,
    `${median(runs).toFixed(2)} s`,
    speedBeside(CONVERT, runs),
    speedBeside(CONVERT_SYNCED, runs)
  ])
}

async function virtnbdbackup(host: LabHost, name: string): Promise<number> {
  const seconds = await timed(() =>
    host.must(['virtnbdbackup', '-d', name, '-l', 'copy', '-o', BACKUP_DIR], { timeoutMs: 300_000 })
  )
  await host.must(['rm', '-rf', BACKUP_DIR])
  return seconds
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
