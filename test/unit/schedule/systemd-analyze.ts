import { spawnSync } from 'node:child_process'

/** This machine's systemd, the yardstick. */
export const systemdVersion = /^systemd (\d+)/.exec(
  spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout
)?.[1]

export const WITHOUT_SYSTEMD = 'systemd-analyze is not on this machine'

export interface Analyzed {
  /** Undefined where systemd refuses the expression. */
  readonly normalForm: string | undefined
  readonly runs: readonly string[]
}

/** What `systemd-analyze calendar` says of an expression, as the host's time zone has it. */
export function analyze(expression: string, timeZone: string, after: Date, count: number): Analyzed {
  const [only = { normalForm: undefined, runs: [] }] = analyzeAll([expression], timeZone, after, count)
  return only
}

/** Of several, in their order: one process for all of them. */
export function analyzeAll(
  expressions: readonly string[],
  timeZone: string,
  after: Date,
  count: number
): readonly Analyzed[] {
  const base = `--base-time=${after.toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const { stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['calendar', base, `--iterations=${count}`, '--', ...expressions],
    { encoding: 'utf8', env: { ...process.env, TZ: timeZone, LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 }
  )
  const blocks = stdout.split(/^(?=Normalized form: )/m).filter((block) => block.startsWith('Normalized form: '))
  const refused = stderr.match(/^Failed to parse calendar specification /gm) ?? []
  if (blocks.length + refused.length !== expressions.length) throw new Error(`not one answer each: ${stdout}${stderr}`)
  return expressions.map((expression) =>
    stderr.includes(`calendar specification '${expression}': `)
      ? { normalForm: undefined, runs: [] }
      : said(blocks.shift())
  )
}

const said = (block = ''): Analyzed => ({
  normalForm: /^Normalized form: (.*)/.exec(block)?.[1],
  runs: timesOf(block)
})

/** The line in UTC follows each time, except where the zone is UTC itself. */
function timesOf(stdout: string): string[] {
  const lines = stdout.split('\n').filter((line) => /(Next elapse|Iter\. #\d+|\(in UTC\)): /.test(line))
  const inUtc = lines.some((line) => line.includes('(in UTC)'))
    ? lines.filter((line) => line.includes('(in UTC)'))
    : lines
  return inUtc.flatMap((line) => /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(line)?.slice(1, 3).join('T') ?? [])
}

/** In the same writing. */
export const stamps = (runs: readonly Date[]): string[] => runs.map((run) => run.toISOString().slice(0, 19))
