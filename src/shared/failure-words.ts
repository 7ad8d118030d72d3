import { failureFrom } from './failure-data.ts'
import type { Failure, FailureKind, FailureOf } from './failure.ts'
import { formatBytes, formatDuration, formatPause, formatTime } from './format.ts'
import { DEFAULT_STORE } from './host-paths.ts'
import { forShell } from './model/restore-choice.ts'
import { partsOf } from './point-name.ts'
import { oneLine, safeText, shortenFast, textsWithin } from './safe-text.ts'

/** A failure in the operator's words. Names in it are shown as text: none makes a line of its own. */
export interface FailureWords {
  /** One line: what did not happen. */
  readonly title: string
  /** Why, as far as it is known. */
  readonly explanation: string
  /** What to do about it, with the command where there is one. Empty: nothing to do. */
  readonly nextStep: string
}

type Wording = { readonly [K in FailureKind]: (failure: FailureOf<K>) => FailureWords }

const words = (title: string, explanation: string, nextStep: string): FailureWords => ({ title, explanation, nextStep })
const list = (items: readonly string[]): string => items.join(', ')
/** Set in, so that what a program printed cannot be taken for our own words. */
const lastLines = (text: string): string =>
  text
    .trim()
    .split('\n')
    .slice(-5)
    .map((line) => `  ${safeText(line)}`)
    .join('\n')

type TooLarge = FailureOf<'output-too-large'>

const tooMuch = ({ what, limitBytes }: TooLarge): FailureWords =>
  words(
    `${what} said more than expected`,
    `More than ${formatBytes(limitBytes)} came back, which is not read.`,
    'Look at what the host prints there.'
  )

const tooLongAnAnswer = ({ what, host, limitBytes }: TooLarge & { readonly host: string }): FailureWords =>
  words(
    `${host} answers with more than can be held here`,
    `More than ${formatBytes(limitBytes)} came back (${what}), which was not read to its end. Other hosts are not concerned.`,
    `Look at what is on the host: stillpoint doctor ${host}. Fewer points in its stores make the list shorter.`
  )

const LISTED_BY = {
  host: 'stillpoint host list',
  vm: 'stillpoint vm list',
  point: 'stillpoint points',
  job: 'stillpoint jobs',
  disk: 'stillpoint vm list',
  store: 'stillpoint points',
  policy: 'stillpoint policy list'
} as const
const CALLED = {
  host: 'host',
  vm: 'VM',
  point: 'restore point',
  job: 'job',
  disk: 'disk',
  store: 'store',
  policy: 'policy'
} as const

/** Empty: nobody has met it. */
const maybeKnown = ({ damagedIn }: FailureOf<'host-key-unknown'>): string =>
  damagedIn === undefined
    ? ''
    : ` ${damagedIn} has lines that cannot be read, and one may be of this host: whether its key is another than before is not known.`

const connecting = {
  'host-unreachable': (failure) =>
    words(
      `${failure.host} does not answer`,
      failure.reason,
      `Check that the host is up and reachable: ssh ${failure.host}`
    ),
  'host-key-unknown': (failure) =>
    words(
      `Nobody has vouched for the key of ${failure.host} yet`,
      `${failure.address} shows the ${failure.keyType} key ${failure.fingerprint}.${maybeKnown(failure)} Nothing was sent to it.`,
      `Compare it on the host itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then repeat with --host-key ${failure.fingerprint}${failure.damagedIn === undefined ? ', or with --accept-new to take it as it is' : ''}.`
    ),
  'host-key-changed': (failure) =>
    words(
      `The key of ${failure.host} has changed`,
      `${failure.address} now shows the ${failure.keyType} key ${failure.fingerprint}; another one is written down in ${failure.knownIn}. Either the host was rebuilt, or something else answers in its place. Nothing was sent to it.`,
      `If the host was rebuilt: ${forgetKey(failure)}, then add it again with --host-key ${failure.fingerprint}. If nobody rebuilt it, find out who answers before going on.`
    ),
  'host-key-revoked': (failure) =>
    words(
      `The key of ${failure.host} is revoked`,
      `${failure.address} shows ${failure.fingerprint}, which is marked as revoked in ${failure.knownIn}. Nothing was sent to it.`,
      'Give the host a new key (ssh-keygen -A after removing the old one), and add it again.'
    ),
  'auth-failed': (failure) =>
    words(
      `${failure.host} does not let ${failure.user} in`,
      failure.tried.length === 0 ? 'There was no key to try.' : `Tried: ${list(failure.tried)}.`,
      `Put your public key on the host (ssh-copy-id ${failure.user}@${failure.host}), or name another one with --identity FILE.`
    ),
  'identity-unusable': (failure) =>
    words(
      `The key file ${failure.file} cannot be used`,
      failure.reason,
      'Name another one with --identity FILE, or load the key into ssh-agent: ssh-add FILE'
    ),
  'connection-lost': ({ host, during, reason }) =>
    reason === undefined
      ? words(
          `The connection to ${host} was lost`,
          `It was lost during ${during}. A job that was accepted goes on on the host.`,
          'See how it went: stillpoint jobs'
        )
      : words(
          `The connection to ${host} was ended`,
          `${reason} It was in use for ${during}. A job that was accepted goes on on the host.`,
          `Find out what answers there before going on: ssh -v ${host}`
        ),
  'login-shell': (failure) =>
    words(
      `The login shell on ${failure.host} is in the way`,
      failure.reason,
      'Use an account with a plain POSIX login shell (sh, bash, dash, zsh), and keep its start-up files silent.'
    ),
  'no-root': noRootWords,
  'unsupported-host': (failure) =>
    words(
      `${failure.host} cannot be used as a host`,
      failure.reason,
      failure.fix ?? 'stillpoint host probe shows what is missing.'
    ),
  'missing-tool': (failure) =>
    words(`The program ${failure.tool} is missing`, 'It is needed and was not found.', installing(failure.tool)),
  'engine-version': (failure) =>
    words(
      `The engine on ${failure.host} is another version`,
      `It speaks protocol ${failure.theirs}, this Stillpoint speaks ${failure.ours}.`,
      'Use the newer Stillpoint of the two. Jobs that run keep the engine they began with.'
    )
} satisfies Partial<Wording>

const running = {
  'command-failed': (failure) =>
    words(
      `A command failed: ${failure.command}`,
      `It ended ${failure.exitCode === undefined ? 'by a signal' : `with exit code ${failure.exitCode}`}.${failure.stderr.trim() === '' ? '' : `\n${lastLines(failure.stderr)}`}`,
      'If the message does not say it all, look at the log of the host: journalctl -e'
    ),
  timeout: (failure) =>
    words(
      `${failure.what} took too long`,
      `No answer within ${formatDuration(failure.afterMs)}.`,
      'Look whether the host is busy or its libvirt hangs, then try again.'
    ),
  'output-too-large': (failure) =>
    failure.host === undefined ? tooMuch(failure) : tooLongAnAnswer({ ...failure, host: failure.host }),
  'bad-output': (failure) =>
    words(`${failure.what} said something that cannot be read`, failure.detail, 'Look at what the host prints there.'),
  cancelled: (failure) => words(`${failure.what} was cancelled`, 'Everything is as it was before.', ''),
  io: (failure) =>
    words(
      `${failure.path === '' ? 'A file' : failure.path} could not be read or written`,
      `${failure.code}: ${failure.detail}`,
      ioNextStep(failure)
    ),
  interrupted: (failure) =>
    words(
      `The ${failure.job} was interrupted`,
      `The engine ended in the middle of: ${failure.step}. ${failure.leftover === undefined ? 'Everything was put back as it was.' : `Left over: ${failure.leftover}.`}`,
      failure.leftover === undefined
        ? `Start the ${failure.job} again.`
        : 'See what is left, and have it repaired: stillpoint doctor HOST --repair'
    ),
  'left-behind': ({ vm, after, left }) =>
    words(
      `${vm} needs you: something of the job had to stay`,
      [
        ...(after === undefined ? [] : [`The job ended because: ${describeFailure(after).title}.`]),
        ...left.map(({ path, because }) => `${path} stays: ${because}.`)
      ].join(' '),
      left.flatMap(({ mend }) => mend).join('\n')
    ),
  bug: (failure) =>
    words(
      'Something went wrong inside Stillpoint',
      `This is a mistake in the program, not in your set-up. Reference: ${failure.reference}.`,
      'The details are in errors.log in the settings folder; please report them.'
    )
} satisfies Partial<Wording>

const asking = {
  usage: (failure) =>
    words(
      'That cannot be done as written',
      failure.message,
      'stillpoint --help, or --help behind a command, shows the forms.'
    ),
  'not-found': (failure) =>
    words(
      `There is no ${CALLED[failure.what]} ${failure.name}${failure.where === undefined ? '' : ` on ${failure.where}`}`,
      'The name was not found.',
      `See what is there: ${LISTED_BY[failure.what]}`
    ),
  ambiguous: (failure) =>
    words(
      `${failure.name} could mean more than one ${CALLED[failure.what]}`,
      `It could be: ${list(failure.candidates)}.`,
      nameItWholly(failure)
    ),
  'vm-busy': (failure) =>
    words(
      `${failure.vm} is busy`,
      `${failure.by} has it since ${formatTime(failure.since)}. One job at a time works on a VM.`,
      'Wait for it, or cancel it: stillpoint jobs, then stillpoint job cancel ID'
    ),
  'vm-state': (failure) =>
    words(
      `${failure.vm} is ${failure.state}`,
      `This needs a VM that is ${failure.wanted}.`,
      'Bring the VM into that state, or choose another method (--method).'
    ),
  'foreign-work': (failure) =>
    words(
      `Something that is not ours is at work on ${failure.vm}`,
      failure.detail,
      'Let it end, or end it with the tool that began it. Leftovers of Stillpoint itself: stillpoint doctor HOST'
    ),
  'no-disks': ({ vm, leftOut }) =>
    words(
      `There is no disk of ${vm} to back up`,
      leftOut.length === 0
        ? 'It has none, or all were to be left out. A point without a disk would protect nothing.'
        : leftOut.map(({ target, because }) => `${target}: ${because}.`).join('\n'),
      leftOut.length === 0 ? 'Look at its definition, and at the disks that the job is to leave out.' : ''
    ),
  'state-not-savable': (failure) =>
    words(
      `The state of ${failure.vm} cannot be saved`,
      failure.because === undefined
        ? `These devices hold state that QEMU cannot save: ${list(failure.devices)}.`
        : `libvirt refuses to save its RAM: ${failure.because}`,
      'Back up its disks only: --method disk'
    ),
  'no-room': (failure) =>
    words(
      `Not enough room in ${failure.path}`,
      `${failure.forWhat} needs ${formatBytes(failure.neededBytes)}, ${freeWords(failure)}.`,
      `Make room there (${deletableWords(failure)}), or choose another place with --store DIR.`
    ),
  'too-busy': (failure) =>
    words(
      `${failure.vm} is too busy for a pause of ${formatPause(failure.budgetMs)}`,
      `${failure.detail} It rewrites its RAM faster than it can be saved within the budget. It ran on all the time.`,
      'Try at a quieter time, allow more (--budget MS), or decide what then: --on-busy pause or --on-busy disk'
    ),
  'vm-exists': (failure) =>
    words(
      `${failure.host} already has a VM with this ${failure.because === 'name' ? 'name' : 'UUID'}: ${failure.name}`,
      `Its UUID is ${failure.uuid}. It was not touched.`,
      'To restore in its place, add --replace: its disks and definition are then kept aside.'
    ),
  'installation-changed': (failure) =>
    failure.isUpdated === true
      ? updatedWhileItRan(failure)
      : words(
          `${failure.path} is not what this Stillpoint came with`,
          'It would run as root on your hosts, so it was not put on any.',
          'Install Stillpoint again, from where you have it. If nobody here has changed that file, find out who has.'
        ),
  'store-changed': (failure) =>
    words(
      `${failure.store} is not the store that it was`,
      `${failure.detail} Nothing was written there, and nothing deleted.`,
      'Mount the right one. If this one is meant, accept it: stillpoint policy edit NAME --accept-store, or for a backup by hand stillpoint backup HOST/VM --accept-store'
    ),
  'not-told': (failure) =>
    words(
      failure.channel === 'mail' ? 'The mail did not go out' : 'The webhook did not take the message',
      failure.detail,
      failure.fix
    ),
  preflight: (failure) =>
    words(
      failure.problems.length === 1
        ? 'One thing stands in the way'
        : `${failure.problems.length} things stand in the way`,
      failure.problems.map((problem) => `- ${problem.text}`).join('\n'),
      failure.problems
        .map((problem) => problem.fix)
        .filter((fix) => fix !== '')
        .join('\n')
    )
} satisfies Partial<Wording>

const points = {
  'point-damaged': (failure) =>
    words(
      `Point ${failure.point} is damaged`,
      `${failure.file}: ${failure.detail}. Nothing was touched with it.`,
      'Use another point, or a copy of this one in another place: stillpoint points'
    ),
  'point-unsafe': (failure) =>
    words(
      `Point ${failure.point} is refused`,
      `${failure.file}: ${failure.detail}. A point never refers to anything outside itself, so this one was changed by somebody.`,
      'Use another point, and find out who can write to that store.'
    ),
  'point-format': (failure) =>
    words(
      `Point ${failure.point} cannot be read`,
      failure.detail,
      'If a newer Stillpoint made it, use that one. Its RESTORE.md says how to restore it by hand.'
    ),
  'point-busy': (failure) =>
    words(
      `Point ${failure.point} is in use`,
      'A restore, a verification or a copy reads it just now.',
      'Wait for its end: stillpoint jobs'
    ),
  'point-arriving': (failure) =>
    words(
      `Point ${failure.point} is being received already`,
      `By ${failure.by}, since ${formatTime(failure.since)}.`,
      'Wait until that has ended; what it has brought by then is not sent again.'
    ),
  'point-exists': (failure) => words(`Point ${failure.point} is already there`, `${failure.where} has it.`, '')
} satisfies Partial<Wording>

const updatedWhileItRan = ({ path }: FailureOf<'installation-changed'>): FailureWords =>
  words(
    'Stillpoint was updated while it ran',
    'What is installed now is another Stillpoint than the one that runs, so nothing new was put on any host. Jobs on hosts go on.',
    `Quit Stillpoint and start it again. If it says after that that ${path} is not what it came with, do what it says then.`
  )

const wording: Wording = { ...connecting, ...running, ...asking, ...points }

function noRootWords({ user, host, sudoersLine, doasLine, wantsTerminal }: FailureOf<'no-root'>): FailureWords {
  const asRoot = '\nOr add the host again with root as its user.'
  const write = (line: string, program: string, file: string): string =>
    `On the host, run: echo '${line}' | ${program} tee -a ${file}${asRoot}`
  const why = 'Backups and restores need root: disks of VMs belong to it.'
  if (wantsTerminal === true)
    return words(
      `sudo on ${host} wants a terminal of ${user}`,
      `${why} sudo there starts nothing without a terminal (requiretty), and Stillpoint has none.`,
      write(`Defaults:${user} !requiretty`, 'sudo', '/etc/sudoers.d/stillpoint')
    )
  const title = `${user} is not root on ${host}`
  if (doasLine !== undefined)
    return words(title, `${why} doas without a password does as well.`, write(doasLine, 'doas', '/etc/doas.conf'))
  return words(
    title,
    `${why} sudo or doas without a password does as well.`,
    `On the host, run: echo '${sudoersLine}' | sudo tee /etc/sudoers.d/stillpoint${asRoot}`
  )
}

/** Characters of each: whatever is in it, it is read by somebody, in a window or a terminal. */
const LONGEST = { title: 2048, explanation: 30 << 10, nextStep: 30 << 10 } as const

/** Title, explanation and next step of any failure, and of whatever else is taken for one. Never throws. */
export function describeFailure(failure: Failure): FailureWords {
  const read = textsWithin(failureFrom(failure), shownText)
  const { title, explanation, nextStep } = (wording[read.kind] as (failure: Failure) => FailureWords)(read)
  return words(
    shortenFast(title, LONGEST.title),
    shortenFast(explanation, LONGEST.explanation),
    wholeLines(nextStep, LONGEST.nextStep)
  )
}

/** Half of a line to type may do harm: the first that have room, and how many more there are. */
function wholeLines(text: string, most: number): string {
  if (text.length <= most) return text
  const lines = text.split('\n')
  let characters = 0
  const first = lines.findIndex((line) => (characters += line.length + 1) > most)
  return [...lines.slice(0, first), `# ${lines.length - first} more, too long to be shown here`].join('\n')
}

/** In prose a line end is layout, in a name it is a trick. */
const PROSE: ReadonlySet<string> = new Set(['because', 'detail', 'fix', 'message', 'reason', 'text'])

const shownText = (text: string, key: string): string =>
  key === 'stderr' ? text : PROSE.has(key) ? oneLine(text) : safeText(text)

function ioNextStep(failure: FailureOf<'io'>): string {
  if (failure.code === 'ENOSPC') return 'Make room on that file system, then try again.'
  if (failure.code === 'EROFS') return 'That file system is read-only: mount it writable, or choose another place.'
  if (failure.code === 'EACCES' || failure.code === 'EPERM')
    return 'Check who owns it and its permissions (ls -l). Where a host refuses even root, the folder comes from a server that takes root for nobody (NFS: root_squash): export it to this host with no_root_squash, or use another folder.'
  if (failure.code === 'EFBIG')
    return 'That file system takes no files of this size (FAT: 4 GiB): choose another place, or one with ext4, XFS or exFAT.'
  if (failure.code === 'ENOLCK')
    return 'That file system gives no locks, and others may use it too. NFS version 3 needs rpc.statd (systemctl enable --now rpc-statd); version 4 does without.'
  return 'Check the file and the disk it is on.'
}

/** What is free, and what of it is not to be had. */
function freeWords({ freeBytes, claimedBytes = 0, reserveBytes = 0 }: FailureOf<'no-room'>): string {
  const free = `${formatBytes(freeBytes)} are free`
  const kept = [
    ...(claimedBytes > 0 ? [`${formatBytes(claimedBytes)} are for other jobs`] : []),
    ...(reserveBytes > 0 ? [`${formatBytes(reserveBytes)} stay free for what else is there`] : [])
  ]
  return kept.length === 0 ? free : `${free}, of which ${kept.join(' and ')}`
}

function deletableWords({ deletable = [], host, store = DEFAULT_STORE }: FailureOf<'no-room'>): string {
  if (deletable.length === 0) return 'stillpoint points, stillpoint delete POINT'
  const each = deletable.map(
    ({ point, vm, takenAt, sizeBytes }) => `${point} of ${vm}, ${formatTime(takenAt)}, ${formatBytes(sizeBytes)}`
  )
  const place = store === DEFAULT_STORE || !store.startsWith('/') ? host : `${host}:${store}`
  const there = host === undefined ? '' : ` ${forShell(['--in', place ?? host])}`
  return `stillpoint delete POINT${there}; no rule keeps these any more: ${each.join('; ')}`
}

const PACKAGES: Readonly<Record<string, string>> = {
  virsh: 'libvirt-clients',
  'qemu-img': 'qemu-utils',
  'qemu-storage-daemon': 'qemu-system-common',
  flock: 'util-linux',
  systemctl: 'systemd',
  'systemd-run': 'systemd'
}

/** Only what we know is named in a line to type: a host may call anything a program that it lacks. */
const installing = (tool: string): string =>
  Object.hasOwn(PACKAGES, tool)
    ? `Install it. On Debian and Ubuntu: apt install ${PACKAGES[tool] ?? ''}`
    : 'Install the package that brings it.'

function nameItWholly({ what, candidates }: FailureOf<'ambiguous'>): string {
  if (what === 'vm') return 'Name the VM by its UUID.'
  const [first = ''] = candidates
  const ids = new Set(candidates.map((candidate) => partsOf(candidate).id))
  if (ids.size === candidates.length || (what !== 'job' && what !== 'point')) return 'Give more characters of the id.'
  if (what === 'job') return `Name its host too, as HOST/ID: ${first}, for one.`
  return (
    `Two places have different points of this id: one of them is not what it says. Name the place of yours too, as PLACE/ID: ` +
    `${first}, for one. A host that you do not trust can be taken out: stillpoint host remove HOST`
  )
}

/** Keys of OpenSSH's own files are OpenSSH's to forget; we only read them. */
const forgetKey = (failure: FailureOf<'host-key-changed'>): string =>
  openSshForgets(failure) ?? `stillpoint host forget-key ${failure.host}`

/** The command that makes OpenSSH forget a key, where it is written down in a file of OpenSSH's own. */
export function openSshForgets({ address, knownIn }: FailureOf<'host-key-changed'>): string | undefined {
  const isTheirs = knownIn.includes('/.ssh/') || knownIn.startsWith('/etc/ssh/')
  return isTheirs ? `ssh-keygen -R '${knownHostsName(address)}'` : undefined
}

/** As OpenSSH writes it: without the usual port, `[host]:port` with another. */
function knownHostsName(address: string): string {
  const [, host = address, port = '22'] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
  return port === '22' ? host : `[${host}]:${port}`
}
