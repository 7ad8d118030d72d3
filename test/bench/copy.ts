/**
 * `node test/bench/copy.ts [gibibytes] [rounds] [directory]`: how fast a frozen image gets into a point, its SHA-256 included,
 * next to `qemu-img convert -W` and `cat`, which do not hash. Each run in a process of its own, page cache warm; the best and the
 * median of the rounds count, as the first writes to fresh memory of a virtual machine are slow.
 */
import { spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { localShell } from '../../src/shell/local.ts'
import { copyImage } from '../../src/store/copy-image.ts'
import { hashFile } from '../../src/store/copy-file.ts'
import { exportPoint, importPoint } from '../../src/store/point-stream.ts'
import { beginPoint, commitPoint } from '../../src/store/point-store.ts'
import { POINT, VM, manifestOf } from './bench-point.ts'

interface Run {
  readonly seconds: number
  readonly peakMiB: number
}

const self = fileURLToPath(import.meta.url)
const peakMiB = (): number => process.resourceUsage().maxRSS / 1024

/** What a child of the bench does; it prints its figures as JSON. */
async function measure(work: () => Promise<unknown>): Promise<void> {
  const baseMiB = peakMiB()
  const started = performance.now()
  await work()
  const run = { seconds: (performance.now() - started) / 1000, peakMiB: peakMiB(), baseMiB }
  process.stdout.write(JSON.stringify(run))
}

const children: Record<string, (source: string, target: string) => Promise<unknown>> = {
  copyImage: (source, target) =>
    copyImage({ shell: localShell(), source: { path: source, format: formatOf(source) }, target }),
  hashFile: (source) => hashFile(source),
  stream: async (source, target) => importPoint(target, POINT, exportPoint(source))
}

const formatOf = (path: string): string => (path.endsWith('.raw') ? 'raw' : 'qcow2')

function runChild(name: string, source: string, target: string): Run {
  const child = spawnSync(process.execPath, [self, '--child', name, source, target], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  return JSON.parse(child.stdout) as Run
}

/** GNU time tells a program's peak memory; without it only the time is known. */
function runProgram(script: string): Run {
  const started = performance.now()
  const child = spawnSync('/usr/bin/time', ['-f', '%M', 'sh', '-c', script], { encoding: 'utf8' })
  return { seconds: (performance.now() - started) / 1000, peakMiB: Number(child.stderr.trim()) / 1024 }
}

function writeRandom(path: string, bytes: number): void {
  const file = openSync(path, 'w')
  const block = new Uint8Array(1 << 20)
  for (let at = 0; at < bytes; at += block.byteLength) writeSync(file, randomFillSync(block))
  fdatasyncSync(file)
  closeSync(file)
}

/** Takes as much memory for the page cache as the run will need and lets go of it: what follows finds warm pages. */
function prime(dir: string, bytes: number): void {
  const path = join(dir, 'prime')
  spawnSync('dd', [
    'if=/dev/zero',
    `of=${path}`,
    'bs=1M',
    `count=${Math.ceil((bytes * 1.1) / 2 ** 20)}`,
    'conv=fdatasync'
  ])
  rmSync(path)
}

async function bench(gibibytes: number, rounds: number, parent: string): Promise<void> {
  const dir = mkdtempSync(join(parent, 'stillpoint-bench-'))
  const bytes = gibibytes * 2 ** 30
  try {
    const raw = join(dir, 'source.raw')
    const qcow2 = join(dir, 'source.qcow2')
    const out = join(dir, 'out')
    writeRandom(raw, bytes)
    spawnSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2])
    const point = await makePoint(dir, qcow2)
    const rows: [string, () => Run][] = [
      ['qemu-img convert -W qcow2', () => runProgram(`qemu-img convert -W -f qcow2 -O qcow2 ${qcow2} ${out}`)],
      [
        'qemu-img convert -W, fdatasync',
        () => runProgram(`qemu-img convert -W -f qcow2 -O qcow2 ${qcow2} ${out} && sync -d ${out}`)
      ],
      [
        'qemu-img convert -W, sha256sum',
        () => runProgram(`qemu-img convert -W -f qcow2 -O qcow2 ${qcow2} ${out} && sha256sum ${out}`)
      ],
      ['cat', () => runProgram(`cat ${qcow2} > ${out}`)],
      ['copyImage qcow2 (hash, fdatasync)', () => runChild('copyImage', qcow2, out)],
      ['copyImage raw (hash, fdatasync)', () => runChild('copyImage', raw, out)],
      ['hashFile', () => runChild('hashFile', qcow2, out)],
      ['export | import (hash, fdatasync)', () => runChild('stream', point, out)]
    ]
    report(measureAll(rows, rounds, dir, bytes, out), bytes)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function makePoint(dir: string, image: string): Promise<string> {
  const point = await beginPoint(join(dir, 'store'), VM, POINT)
  spawnSync('cp', [image, join(point, 'memory.save')])
  await commitPoint(point, manifestOf('memory.save', await hashFile(join(point, 'memory.save'))))
  return point
}

/** Round by round, so that what else goes on here meets all of them. */
function measureAll(
  rows: [string, () => Run][],
  rounds: number,
  dir: string,
  bytes: number,
  out: string
): Map<string, Run[]> {
  const runs = new Map<string, Run[]>(rows.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of rows) {
      prime(dir, bytes)
      runs.get(name)?.push(run())
      rmSync(out, { recursive: true, force: true })
    }
  }
  return runs
}

function report(runs: Map<string, Run[]>, bytes: number): void {
  const best = (list: readonly Run[]): number => Math.min(...list.map((run) => run.seconds))
  const median = (list: readonly Run[]): number =>
    list.map((run) => run.seconds).sort((a, b) => a - b)[list.length >> 1] ?? NaN
  const [reference = []] = runs.values()
  console.log(`${bytes / 2 ** 30} GiB, ${reference.length} rounds. Ratio: speed next to the first line's.\n`)
  console.log(
    '| what | best s | median s | GB/s (best) | ratio best | ratio median | peak MiB |\n|---|---|---|---|---|---|---|'
  )
  for (const [name, list] of runs) {
    const figures = [best(list).toFixed(2), median(list).toFixed(2), (bytes / 1e9 / best(list)).toFixed(2)]
    const ratios = [(best(reference) / best(list)).toFixed(2), (median(reference) / median(list)).toFixed(2)]
    console.log(
      `| ${[name, ...figures, ...ratios, Math.max(...list.map((run) => run.peakMiB)).toFixed(0)].join(' | ')} |`
    )
  }
}

const [first = '2', second = '5', third = tmpdir(), fourth = ''] = process.argv.slice(2)
const child = children[second]
if (first === '--child' && child) await measure(() => child(third, fourth))
else await bench(Number(first), Number(second), third)
