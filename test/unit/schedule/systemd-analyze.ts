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
  const base = `--base-time=${after.toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const { stdout } = spawnSync('systemd-analyze', ['calendar', base, `--iterations=${count}`, '--', expression], {
    encoding: 'utf8',
    env: { ...process.env, TZ: timeZone, LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024
  })
  return { normalForm: /Normalized form: (.*)/.exec(stdout)?.[1], runs: timesOf(stdout) }
}

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
