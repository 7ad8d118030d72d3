import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { BareEngine } from '../lab/bare-engine.ts'
import { startLab } from '../lab/lab.ts'
import { run } from '../lab/run.ts'
import { measureCopies } from './copies.ts'
import { measurePauses, row } from './pause.ts'
import { measureStream } from './stream.ts'
import { table } from './table.ts'

/** `npm run bench [-- --quick]`: pauses, copying and memory, each beside a peer in the same run. Nothing is asserted. */
const root = join(import.meta.dirname, '../..')
const quick = process.argv.includes('--quick')
const say = (line: string): void => console.log(line)

await new Promise((resolve) =>
  spawn(process.execPath, [join(root, 'scripts/build-node.mjs')], { stdio: 'inherit' }).on('close', resolve)
)
await run(['apt-get', 'install', '-y', '--no-install-recommends', 'virtnbdbackup'], { timeoutMs: 600_000 })
const lab = await startLab({ name: 'bench', say })
try {
  const alpha = lab.host('alpha')
  const engine = await BareEngine.on(alpha)

  say('\nPause of one backup (median; range)')
  const pauses: string[][] = []
  for (const ramMiB of quick ? [256] : [256, 1024, 2048])
    for (const rewriteMiBps of [0, 50]) {
      const most = ramMiB === 2048 && rewriteMiBps === 50
      const size = { ramMiB, rewriteMiBps, runs: most ? 10 : 5, classicRuns: most ? 3 : 2 }
      pauses.push(row(await measurePauses(alpha, engine, size)))
    }
  say(table(['RAM', 'rewritten', 'live', 'range', 'classic', 'ratio', 'engine'], pauses))

  const diskMiB = quick ? 256 : 2048
  say(`\nCopying a frozen disk of ${diskMiB} MiB (page cache warm)`)
  say(table(['what', 'best', 'median', 'of convert -W', 'of convert -W and sync'], await measureCopies(alpha, diskMiB)))

  say('\nStreaming a point from host to host through the controller')
  say(table(['point', 'time', 'rate', 'controller at most'], await measureStream(lab, quick ? [256] : [512, 4096])))
} finally {
  await lab.stop()
}
