import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { asRoot } from '../lab/as-root.ts'
import { startLab } from '../lab/lab.ts'
import { LabError } from '../lab/run.ts'
import { Arena } from './arena.ts'
import { keepEvidence } from './evidence.ts'
import { hostText, planRound } from './plan.ts'
import { Tally } from './tally.ts'
import { playRound, tidyUp } from './round.ts'

const usage = `usage: npm run chaos -- --seed N --rounds N [--round K] [--name LAB] [--plan] [--stay]

  Rounds of jobs on the VMs of two hosts, of what others do to these VMs meanwhile, and of faults; after each
  one everything has to be as its owners want it. All rounds of a seed are the same every time.

  --round K   only this round of the seed
  --plan      say what would be done, and do nothing
  --stay      stop after a round that fails, and leave the lab as it is`

const options = {
  seed: { type: 'string', default: '1' },
  rounds: { type: 'string', default: '10' },
  round: { type: 'string' },
  name: { type: 'string', default: 'chaos' },
  plan: { type: 'boolean', default: false },
  stay: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false }
} as const

const say = (line: string): void => console.log(line)
const { values } = parseArgs({ args: process.argv.slice(2), options })

async function main(): Promise<number> {
  if (values.help) {
    say(usage)
    return 0
  }
  const seed = numberOf(values.seed)
  const rounds =
    values.round === undefined
      ? Array.from({ length: numberOf(values.rounds) }, (_, round) => round)
      : [numberOf(values.round)]
  if (!values.plan) return playAll(seed, rounds)
  for (const round of rounds) say([`round ${round}`, ...planRound(seed, round).hosts.flatMap(hostText)].join('\n'))
  return 0
}

function numberOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new LabError(usage)
  return Number(text)
}

async function playAll(seed: number, rounds: readonly number[]): Promise<number> {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/build-node.mjs')], { stdio: 'inherit' })
  const lab = await startLab({ name: values.name, say })
  const [first, second] = lab.hosts
  if (first === undefined || second === undefined) throw new LabError('chaos needs two hosts')
  const arena = new Arena(lab, { first, second })
  const tally = new Tally(seed)
  try {
    await arena.enter()
    for (const round of rounds) {
      const failed = await playOne(arena, seed, round, tally)
      if (failed && values.stay) return 1
    }
  } finally {
    say(tally.text())
    if (!(values.stay && tally.failed.length > 0)) await lab.stop()
  }
  return tally.failed.length === 0 ? 0 : 1
}

async function playOne(arena: Arena, seed: number, round: number, tally: Tally): Promise<boolean> {
  const plan = planRound(seed, round)
  say(`\nseed ${seed} round ${round}`)
  for (const line of plan.hosts.flatMap(hostText)) say(`  ${line}`)
  const begun = performance.now()
  const { problems, plays } = await playRound(arena, plan).catch((error: unknown) => ({
    problems: [`the round broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
    plays: []
  }))
  tally.add(plan, plays, problems, performance.now() - begun)
  for (const problem of problems) say(`  PROBLEM ${problem}`)
  say(`  ${problems.length === 0 ? 'passed' : 'FAILED'} after ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  if (problems.length === 0) {
    await tidyUp(arena, plan, plays)
    return false
  }
  const evidence = mkdtempSync(join(tmpdir(), `stillpoint-chaos-${seed}-${round}-`))
  await keepEvidence(arena, plan, problems, evidence)
  say(`  evidence in ${evidence}`)
  if (!values.stay) await arena.rebuild()
  return true
}

await asRoot(import.meta.filename, process.argv.slice(2), main)
