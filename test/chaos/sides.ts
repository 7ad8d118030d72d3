import { spawn } from 'node:child_process'
import { DEFAULT_STORE, enginePath, runtimePath } from '../../src/shared/host-paths.ts'
import { backupSpec, failureFrom } from '../lab/bare-engine.ts'
import { insideOf } from '../lab/boot.ts'
import type { LabHost } from '../lab/host.ts'
import { LabError } from '../lab/run.ts'
import type { Site } from './arena.ts'
import type { SideKind } from './plan.ts'
import type { Play } from './scene.ts'

/** What somebody else asks of the host while a job is held. Answers what was wrong about that. */
export async function aside(kind: SideKind, play: Play): Promise<string[]> {
  const { site, vm } = play
  switch (kind) {
    case 'second-controller':
      return submitSecond(play)
    case 'doctor':
      await site.engine.ask('doctor', { stores: [DEFAULT_STORE], repair: true })
      return []
    case 'verify':
      return verifyBase(play)
    case 'delete': {
      // That of a job has the job's id.
      const spare = (await site.fleet.sparePoints(vm.kind)).find((id) => id !== play.jobId)
      if (spare !== undefined) await site.engine.ask('delete', { store: DEFAULT_STORE, point: spare })
      return []
    }
    case 'copy':
      return copyBase(play, false)
    case 'copy-cut':
      return copyBase(play, true)
  }
}

async function submitSecond({ stage, vm, store, scene: { job } }: Play): Promise<string[]> {
  // The VM of that job is the copy.
  if (job.kind === 'copy') return []
  const failure = await failureFrom(stage.engine.submit(backupSpec(vm.guest, { store }))).catch(() => undefined)
  return failure?.kind === 'vm-busy'
    ? []
    : [`a second controller was not told that the VM is busy: ${JSON.stringify(failure)}`]
}

async function verifyBase({ site, base }: Play): Promise<string[]> {
  if (base === undefined) return []
  const report = await site.engine.ask('verify', { store: DEFAULT_STORE, point: base.id })
  return report.good ? [] : [`point ${base.id} is not good any more: ${JSON.stringify(report.problems)}`]
}

/** The base point goes to the other host, at the second try where the controller is cut off in the first. */
async function copyBase({ scene, site, other, base }: Play, isCut: boolean): Promise<string[]> {
  if (base === undefined) return []
  if (isCut) await copyPoint(site, other, base.id, CUT_AFTER_BYTES)
  await copyPoint(site, other, base.id)
  const report = await other.engine.ask('verify', { store: DEFAULT_STORE, point: base.id })
  // A restore over there is at work on it.
  if (scene.job.kind !== 'elsewhere') await other.engine.ask('delete', { store: DEFAULT_STORE, point: base.id })
  return report.good ? [] : [`the copy of point ${base.id} is not good: ${JSON.stringify(report.problems)}`]
}

const CUT_AFTER_BYTES = 300_000

/** As a controller does it: what one engine exports goes to the other's import. It may be cut off after so many bytes. */
export async function copyPoint(from: Site, to: Site, point: string, cutAfter = Infinity): Promise<void> {
  const question = { store: DEFAULT_STORE, point }
  const { have } = await to.engine.ask('import-state', question)
  const source = verb(from.host, 'export', { ...question, have })
  const target = verb(to.host, 'import', question)
  let passed = 0
  source.stdout.on('data', (chunk: Buffer) => {
    if (passed > cutAfter) return
    passed += chunk.length
    target.stdin.write(chunk)
    if (passed > cutAfter) for (const end of [source, target]) end.kill('SIGKILL')
  })
  source.stdout.on('end', () => target.stdin.end())
  let said = ''
  target.stdout.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)))
  const exits = await Promise.all([source, target].map((child) => new Promise((resolve) => child.on('close', resolve))))
  if (cutAfter === Infinity && exits.some((exit) => exit !== 0)) throw new LabError(`copying ${point} failed: ${said}`)
}

function verb(host: LabHost, name: string, question: object) {
  const { init } = host.notes
  if (init === undefined) throw new LabError(`${host.name} is off`)
  const argv = [...insideOf(init), runtimePath('lab'), enginePath('lab'), name]
  const child = spawn('env', argv, { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => undefined)
  child.stdin.write(`${JSON.stringify(question)}\n`)
  return child
}
