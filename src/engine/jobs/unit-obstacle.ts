import { readdir, readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { failureOf, isFailure, type Failure } from '../../shared/failure.ts'
import { hostFailureIn } from '../../shared/failure-data.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { PROGRAM_DIR } from '../../shared/host-paths.ts'
import { oneLine, shorten } from '../../shared/safe-text.ts'
import type { Argv, Shell } from '../../shared/shell.ts'

/** Why units of this host cannot start the engine, and what mends it. */
export interface UnitObstacle {
  readonly reason: string
  readonly fix: string
}

/** What can be seen on a host whose systemd has not brought the engine to its end. */
export interface UnitFacts {
  /** Of the program, by systemd's own numbers where it did not get as far: 203 is EXEC. */
  readonly exitCode: number | undefined
  /** systemd-run's own words. */
  readonly said: string
  /** What the unit printed. */
  readonly printed: string
  readonly program: string
  readonly mount: { readonly target: string; readonly options: string } | undefined
  readonly selinux: 'enforcing' | 'permissive' | 'off'
  /** `system_u:object_r:var_lib_t:s0` */
  readonly label: string
  /** Whether fapolicyd runs, which lets nobody execute what no package brought. */
  readonly fapolicyd: boolean
  /** Settings for all services that take programs or folders away: file and line. */
  readonly rules: readonly string[]
}

const EXEC = 203

/** Pure: the first of the usual obstacles that these facts show. */
export function obstacleIn(facts: UnitFacts): UnitObstacle {
  if (facts.exitCode !== EXEC) return notEnded(facts)
  const { program, mount, selinux, label, fapolicyd, rules } = facts
  const folder = posix.dirname(program)
  if (mount?.options.split(',').includes('noexec') === true)
    return {
      reason: `Its systemd cannot start the engine: ${mount.target}, where ${program} lies, is mounted noexec.`,
      fix: `Allow programs there: mount -o remount,exec ${mount.target} (and take noexec out of its line in /etc/fstab). Then add the host again.`
    }
  const rule = rules[0]
  if (rule !== undefined)
    return {
      reason: `Its systemd does not start the engine. A rule for all of its services may forbid it: ${rule}`,
      fix: `Allow what lies below ${PROGRAM_DIR} in that file (ExecPaths=${PROGRAM_DIR}), then run systemctl daemon-reload and add the host again.`
    }
  if (fapolicyd)
    return {
      reason: `Its systemd does not start the engine: fapolicyd runs there, which lets nobody execute what no package has brought (${program}).`,
      fix: `On the host, run: fapolicyd-cli --file add ${folder}/ --trust-file stillpoint && fapolicyd-cli --update`
    }
  if (selinux === 'enforcing')
    return {
      reason: `SELinux does not let its systemd start the engine. ${program} has the label ${label === '' ? '?' : label}; programs have bin_t.`,
      fix: `On the host, run: restorecon -RFv ${PROGRAM_DIR} (what was denied: ausearch -m avc -ts recent). Then add the host again.`
    }
  return {
    reason: `Its systemd may not execute ${program} (203/EXEC). ${quoted(facts)}`.trim(),
    fix: `Find the rule that forbids it: systemd-run --wait -- ${program} --version; journalctl -n 20`
  }
}

/** systemd did not begin, or the engine began and came to grief. */
function notEnded(facts: UnitFacts): UnitObstacle {
  const failure = failureIn(facts.printed)
  if (failure !== undefined) {
    const { title, explanation, nextStep } = describeFailure(failure)
    return {
      reason: `The engine starts as a service of this host, but cannot work as one: ${title}. ${explanation}`.trim(),
      fix: nextStep
    }
  }
  return {
    reason:
      `Its systemd does not bring the engine to its end (exit code ${facts.exitCode ?? 'none'}). ${quoted(facts)}`.trim(),
    fix: 'On the host: systemctl status; journalctl -n 50'
  }
}

const quoted = ({ said, printed }: UnitFacts): string => shorten(oneLine(`${said} ${printed}`), 400)

/** The engine says as one line what it failed with. */
function failureIn(printed: string): Failure | undefined {
  for (const line of printed.split('\n').reverse()) {
    try {
      const failure = hostFailureIn((JSON.parse(line) as { readonly failure?: unknown }).failure)
      if (failure !== undefined) return failure
    } catch {
      continue
    }
  }
  return undefined
}

/** Looks at what could stand in the way of a unit that has not come to its end. Changes nothing. */
export async function lookForObstacle(
  shell: Shell,
  unit: string,
  { exitCode, stderr }: { readonly exitCode: number | undefined; readonly stderr: string }
): Promise<UnitObstacle> {
  const program = process.execPath
  const [printed, mount, selinux, label, fapolicyd] = await Promise.all([
    textOf(shell, ['journalctl', '--no-pager', '--quiet', '--output=cat', '--lines=20', `--unit=${unit}`]),
    textOf(shell, ['findmnt', '--noheadings', '--raw', '--output=TARGET,OPTIONS', '--target', program]),
    textOf(shell, ['getenforce']),
    textOf(shell, ['stat', '--format=%C', program]),
    textOf(shell, ['systemctl', 'is-active', 'fapolicyd.service'])
  ])
  return obstacleIn({
    exitCode,
    said: stderr,
    printed,
    program,
    mount: mountOf(mount),
    selinux: selinux === 'Enforcing' ? 'enforcing' : selinux === 'Permissive' ? 'permissive' : 'off',
    label: label === '?' ? '' : label,
    fapolicyd: fapolicyd === 'active',
    rules: await rulesForAllServices()
  })
}

async function textOf(shell: Shell, argv: Argv): Promise<string> {
  try {
    return (await shell.run(argv, { timeoutMs: 10_000 })).stdout.trim()
  } catch (error) {
    if (isFailure(error, 'missing-tool')) return ''
    return describeFailure(failureOf(error)).title
  }
}

function mountOf(line: string): UnitFacts['mount'] {
  const [, target, options] = /^(\S+) (\S+)$/m.exec(line) ?? []
  return target === undefined || options === undefined ? undefined : { target, options }
}

/** Folders of settings for every service, and for those whose names begin as ours do. */
const DROP_INS = ['/etc', '/run', '/usr/lib', '/usr/local/lib'].flatMap((root) =>
  ['service.d', 'stillpoint-.service.d', 'stillpoint-job-.service.d', 'stillpoint-trial-.service.d'].map(
    (name) => `${root}/systemd/system/${name}`
  )
)
const TAKES_AWAY = /^\s*(NoExecPaths|InaccessiblePaths|RootDirectory|RootImage|TemporaryFileSystem|SELinuxContext)=./

async function rulesForAllServices(): Promise<string[]> {
  const rules: string[] = []
  for (const dir of DROP_INS)
    for (const name of await readdir(dir).catch(() => [])) {
      const text = await readFile(`${dir}/${name}`, 'utf8').catch(() => '')
      for (const line of text.split('\n')) if (TAKES_AWAY.test(line)) rules.push(`${dir}/${name}: ${line.trim()}`)
    }
  return rules
}
