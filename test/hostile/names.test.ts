import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MantineProvider } from '@mantine/core'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { restoreByHand } from '../../src/engine/capture/restore-by-hand.ts'
import { mimeOf } from '../../src/engine/tell/mail.ts'
import type { Message } from '../../src/engine/tell/message.ts'
import { messageOfRun } from '../../src/engine/tell/run-message.ts'
import { messageOfSilence } from '../../src/engine/tell/silence-message.ts'
import { webhookRequest } from '../../src/engine/tell/webhook-forms.ts'
import { act } from '../../src/main/desktop/errands.ts'
import { Dialogs } from '../../src/main/desktop/dialogs.ts'
import { jobNotification } from '../../src/main/desktop/job-endings.ts'
import { newsOf } from '../../src/main/desktop/notice-news.ts'
import { words as desktopWords } from '../../src/main/desktop/words.ts'
import { connectQuestions } from '../../src/main/doors/cli/connect-questions.ts'
import { Interrupts } from '../../src/main/doors/cli/interrupts.ts'
import { output, printed } from '../../src/main/doors/cli/output.ts'
import { buildProgram } from '../../src/main/doors/cli/program.ts'
import type { Action } from '../../src/main/doors/cli/run-program.ts'
import { fields, table } from '../../src/main/doors/cli/table.ts'
import { asked, type Terminal } from '../../src/main/doors/cli/terminal.ts'
import { errorLog } from '../../src/main/doors/error-log.ts'
import { titleOf } from '../../src/renderer/app/title-view.ts'
import { downtimeCsv } from '../../src/renderer/features/downtime/csv.ts'
import { CommandLine } from '../../src/renderer/ui/command-line.tsx'
import { copyText } from '../../src/renderer/ui/copy-text.ts'
import { failureShown } from '../../src/renderer/ui/failure-shown.ts'
import { Name } from '../../src/renderer/ui/name.tsx'
import { safetyOf } from '../../src/shared/safety.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf, StillpointError, type Failure } from '../../src/shared/failure.ts'
import { WEBHOOK_FORMS } from '../../src/shared/model/channels.ts'
import { quoted } from '../../src/shared/quoted.ts'
import { safeJson, safeText, shorten } from '../../src/shared/safe-text.ts'
import { textWidth } from '../../src/shared/text-width.ts'
import { parseMail } from '../contract/mime.ts'
import { FILES, manifestOf } from '../unit/store-points.ts'
import { done, failed, run, zone } from '../unit/tell/told-things.ts'
import { hostView, NOW, vmView } from '../unit/live/paper-laptop.ts'
import { aJob } from '../unit/renderer/fake-job.ts'
import { hostileCore, JOB, POLICY } from './hostile-core.ts'
import { paperNotifier, paperTray } from './paper-desktop.ts'
import { tallyOf } from './tally.ts'
import { FORGED, harmIn, HONEST, UNSAFE_CHARACTERS, UNSAFE_KINDS, UNSAFE_TEXTS } from './unsafe-texts.ts'

const tally = tallyOf('names on screen')
const UNSAFE = [...UNSAFE_CHARACTERS, ...UNSAFE_TEXTS]

class Page {
  text = ''
  readonly isTTY: boolean
  readonly columns = 100
  constructor(isTTY: boolean) {
    this.isTTY = isTTY
  }
  write(text: string): boolean {
    this.text += text
    return true
  }
}
const page = (isTTY = false): Page & NodeJS.WritableStream => new Page(isTTY) as unknown as Page & NodeJS.WritableStream

/** The only control characters of ours: the bar takes its line away before it is drawn anew. */
const withoutBar = (text: string): string => text.replaceAll('\r\u001b[2K', '')

const cliShows = (json: boolean, work: (out: ReturnType<typeof output>) => void): string => {
  const [stdout, stderr] = [page(), page(true)]
  work(output(json, { stdout, stderr }))
  return withoutBar(stdout.text + stderr.text)
}

const messageOf = (name: string): Message =>
  messageOfRun(
    run([done(1, name), failed(2, name, `no room for ${name}`)], {
      policy: { id: POLICY, name },
      host: name,
      reason: name,
      warnings: [name]
    }),
    zone
  )
const silenceOf = (name: string): Message =>
  messageOfSilence(
    name,
    [
      { vm: { uuid: 'x', name }, policy: { id: POLICY, name }, since: '2026-11-21T07:00:41.000Z', expectedEveryMs: 1e8 }
    ],
    new Date('2026-11-24T06:00:00Z'),
    zone
  )
const mailOf = async (message: Message): Promise<string> =>
  (await mimeOf({ from: 'Backup <b@example.org>' }, message, ['a@example.org'])).toString('latin1')

const texts = (value: unknown): string =>
  typeof value === 'string'
    ? `${value}\n`
    : typeof value === 'object' && value !== null
      ? Object.values(value).map(texts).join('')
      : ''

function notified(platform: NodeJS.Platform, title: string, body: string): { title: string; body: string } {
  const shown: { title: string; body: string }[] = []
  paperNotifier({ notification: (options) => shown.push(options) }, platform).notify({
    ...{ title, body },
    goTo: { screen: 'overview' }
  })
  return shown[0] ?? { title: '', body: '' }
}

function trayShows(name: string): { tip: string; labels: readonly string[] } {
  const seen = { tip: '', labels: '' }
  const tray = paperTray({ tip: (text) => (seen.tip = text), menu: (template) => (seen.labels = texts(template)) })
  const now = new Date('2026-11-24T06:00:00Z')
  const job = aJob({ vm: { uuid: 'u', name }, host: name, state: 'running', endedAt: undefined })
  const notice = {
    id: 'n',
    at: now.toISOString(),
    severity: 'failure',
    title: name,
    text: name,
    acknowledged: false
  } as const
  const vm = { uuid: 'u', name, state: 'running', disks: [], limits: [] }
  const host = { name, state: 'up', vms: [vm] }
  tray.draw({ hosts: [host], jobs: [job], live: [], notices: [notice] } as never, now)
  return { tip: seen.tip, labels: seen.labels.split('\n') }
}

async function dialogShows(name: string): Promise<string> {
  const shown: unknown[] = []
  const boxes = { showMessageBox: (options: unknown) => Promise.resolve(shown.push(options)) }
  const dialogs = new Dialogs(boxes as never, () => undefined)
  dialogs.say(name, desktopWords.closing.goesOn([{ kind: 'backup', vm: { uuid: 'u', name }, host: name }]))
  const complaint = new Promise<void>((resolve) => {
    const front = {
      notifier: { notify: () => false },
      dialogs: {
        say: (title: string, body: string) => {
          dialogs.say(title, body)
          resolve()
        }
      },
      goTo: () => undefined
    }
    const core = { backUp: () => Promise.reject(new StillpointError({ kind: 'foreign-work', vm: name, detail: name })) }
    act({ core, front, quit: () => undefined } as never, { do: 'backUp', host: name, vm: 'u', name })
  })
  await complaint
  return texts(shown)
}

/** What is on the clipboard once somebody has pressed Copy. */
function copied(text: string): string {
  let [put, taken]: [((event: object) => void) | undefined, string] = [undefined, '']
  vi.stubGlobal('document', {
    addEventListener: (_: string, listener: typeof put) => (put = listener),
    removeEventListener: () => undefined,
    execCommand: () => {
      put?.({
        preventDefault: () => undefined,
        clipboardData: { setData: (_: string, data: string) => (taken = data) }
      })
      return true
    }
  })
  copyText(text)
  vi.unstubAllGlobals()
  return taken
}

/** A line each for what an operator may read of a failure. */
const FAILURES = (name: string): readonly Failure[] => [
  { kind: 'not-found', what: 'vm', name, where: name },
  { kind: 'command-failed', command: name, exitCode: 1, stderr: `${name}\n${FORGED}` },
  { kind: 'host-unreachable', host: name, reason: name },
  { kind: 'ambiguous', what: 'vm', name, candidates: [name, name] },
  { kind: 'bad-output', what: name, detail: name },
  { kind: 'preflight', problems: [{ text: name, fix: name }] } as never,
  { kind: 'point-damaged', point: name, file: name, detail: name },
  { kind: 'left-behind', vm: name, left: [{ path: name, because: name, mend: [name] }] } as never,
  { kind: name } as never
]

/** Every place where text of a host ends, by what it shows of a name. */
const SINKS: Readonly<Record<string, (name: string) => string | Promise<string>>> = {
  'a table': (name) => printed(table(['VM', 'STATE'], [[name, name]])),
  'a list of fields': (name) => printed([`Point of ${name}`, ...fields([['note', name]])]),
  'a line of the answer': (name) => cliShows(false, (out) => out.line(`${name} is gone.`)),
  'a warning': (name) => cliShows(false, (out) => out.note(name, 'warning')),
  'a bar': (name) =>
    cliShows(false, (out) =>
      out.progress({ phase: name, doneBytes: 1, totalBytes: 4, bytesPerSecond: 1, secondsLeft: 9 })
    ),
  'a line of progress': (name) => {
    const stderr = page()
    output(false, { stdout: page(), stderr }).progress({ phase: name, doneBytes: 1, totalBytes: 4 })
    return stderr.text
  },
  'a failure on the terminal': (name) =>
    FAILURES(name)
      .map((failure) => cliShows(false, (out) => out.failed(failure)))
      .join(''),
  'a failure in words': (name) => texts(FAILURES(name).map(describeFailure)),
  'a question': (name) => {
    const { before, question } = asked([`${name} shows the key`, `Delete ${name}? `])
    return before + question
  },
  'JSON lines': (name) =>
    cliShows(true, (out) => {
      out.event('job', { vm: name, [name]: name })
      out.note(name)
      FAILURES(name).forEach((failure) => out.failed(failure, { path: name }))
    }),
  'a notification on Linux': (name) => texts(notified('linux', name, name)),
  'a notification elsewhere': (name) => texts(notified('darwin', name, name)),
  'what is notified of jobs and notices': (name) => {
    const job = aJob({ vm: { uuid: 'u', name }, host: name, state: 'failed-clean', failure: FAILURES(name)[2] })
    const notice = { id: 'n', at: '', severity: 'failure', title: name, text: name, acknowledged: false } as const
    const wanted = { notifySuccess: true, notifyFailure: true }
    const told = [jobNotification(job), ...newsOf([notice], { jobs: [] }, wanted).map((news) => news.notification())]
    return told.map(({ title, body }) => texts(notified('linux', title, body))).join('')
  },
  'the tray': (name) => texts(trayShows(name)),
  'the title of the window': (name) => {
    const hosts = [hostView(name, { vms: [{ ...vmView(), name }] })]
    const points = { points: [], broken: [], known: true }
    const vms = safetyOf({ hosts, points, jobs: [], choices: DEFAULT_CHOICES }, NOW)
    const down = [hostView(name, { state: 'down' })]
    const titles = [titleOf('up', hosts, vms), titleOf('up', down, []), titleOf('lost', hosts, vms)]
    for (const title of titles) expect(title).toMatch(/^⚠ /)
    return texts(titles)
  },
  'a dialog of the desktop': dialogShows,
  'the subject of a mail': async (name) => {
    const mail = await mailOf(messageOf(name))
    const head = mail.slice(0, mail.indexOf('\r\n\r\n'))
    expect(head).not.toMatch(/^(bcc|x-evil)/im)
    expect(head).toMatch(/^[\r\n\t -~]*$/) // seven bits
    return parseMail(mail).headers['subject'] ?? 'none'
  },
  'the text of a mail': async (name) => parseMail(await mailOf(messageOf(name))).parts['text/plain'] ?? '\0',
  'the HTML of a mail': async (name) => parseMail(await mailOf(messageOf(name))).parts['text/html'] ?? '\0',
  'a mail on silence': async (name) => texts(parseMail(await mailOf(silenceOf(name)))),
  ...Object.fromEntries(
    WEBHOOK_FORMS.map((form) => [
      `the webhook of form ${form}`,
      (name: string): string => {
        const { body } = webhookRequest({ form, url: 'https://hooks.example.org/x' }, messageOf(name))
        const sent = safeJson(body)
        expect(JSON.parse(sent)).toEqual(JSON.parse(JSON.stringify(body)))
        const { runs: _, silent: __, ...shown } = body as Record<string, unknown>
        return sent + texts(shown)
      }
    ])
  ),
  'a file for spreadsheets': (name) => {
    const entry = {
      at: '',
      kind: 'backup',
      host: name,
      vm: name,
      vmUuid: 'u',
      phases: [],
      pauses: [{ phase: name, ms: 1 }]
    }
    const csv = downtimeCsv([entry as never]).replaceAll('\r\n', '\n')
    expect(csv.trimEnd().split('\n')).toHaveLength(2)
    return csv
  },
  'the log of errors': (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'stillpoint-names-'))
    errorLog(folder, () => new Date(0))({ kind: 'bug', reference: 'r', message: `${name}\nat x` })
    const text = readFileSync(join(folder, 'errors.log'), 'utf8')
    rmSync(folder, { recursive: true })
    expect(text.match(/^\S/gm)).toHaveLength(1)
    return text
  },
  'a name in the window': (name) => renderToStaticMarkup(createElement(Name, { text: name })),
  'a failure in the window': (name) => texts(FAILURES(name).map(failureShown)),
  'the clipboard': (name) => {
    const details = FAILURES(name).map((failure) => failureShown(failure).details)
    const command = renderToStaticMarkup(
      createElement(MantineProvider, {}, createElement(CommandLine, { command: quoted(name) }))
    )
    return [...details, JSON.stringify(name)].map(copied).join('\n') + command
  },
  'a shortened name': (name) => shorten(safeText(name), 12),
  'how to restore by hand': (name) =>
    restoreByHand({
      ...manifestOf(FILES, { vm: { uuid: 'u', name } }),
      boot: [{ role: 'medium', file: 'media/a.iso', originalPath: name }]
    })
}

describe.each(Object.keys(SINKS))('%s', (where) => {
  const sink = SINKS[where] ?? String

  it('does nothing of what a name would have done', async () => {
    for (const { what, text } of [...UNSAFE_KINDS, ...UNSAFE_TEXTS])
      await tally.tried(async () => expect(harmIn(await sink(text)), what).toBeUndefined())
  })
})

describe('each character that is not to be read', () => {
  it('is a code in what is printed, and the same character in JSON', async () => {
    for (const { what, text } of UNSAFE_CHARACTERS)
      await tally.tried(() => {
        expect(harmIn(printed(text).slice(0, -1)), what).toBeUndefined()
        expect(printed(text), what).toMatch(/^web\\u\{[0-9a-f]+\}1\n$/)
        const json = cliShows(true, (out) => out.result({ vm: text }))
        expect(json, what).toMatch(/^[ -~]+\n$/)
        expect(JSON.parse(json), what).toEqual({
          type: 'result',
          ok: true,
          vm: JSON.parse(JSON.stringify(text)) as string
        })
      })
  })
})

describe('a name that is honest', () => {
  it.each(HONEST)('stays as it is: $what', ({ text }) => {
    expect(safeText(text)).toBe(text)
    expect(safeJson(text)).toBe(JSON.stringify(text))
    expect(printed(table(['VM'], [[text]]))).toContain(text)
  })
})

describe('what is made safe', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom(...UNSAFE.map(({ text }) => text), ...HONEST.map(({ text }) => text)))
      .map((all) => all.join(''))
  )

  it('is harmless whatever it was, and the same when it is made safe again', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const shown = safeText(text)
        expect(shown).not.toMatch(/[\n\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u)
        expect(safeText(shown)).toBe(shown)
      })
    )
  })

  it('is the same value as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), anything, (value, text) => {
        const whole = { value, text, [text]: text }
        expect(JSON.parse(safeJson(whole))).toEqual(JSON.parse(JSON.stringify(whole)))
        expect(safeJson(whole, 2)).toContain('\n')
      })
    )
  })

  it('is not cut within a character or an emoji', () => {
    for (const { text } of HONEST)
      for (let length = 1; length < text.length; length++) {
        const cut = shorten(text, length)
        expect(cut.length).toBeLessThanOrEqual(length)
        expect(safeText(cut), JSON.stringify(cut)).toBe(cut)
      }
  })
})

it.each([100, 10_000, 1_000_000])('a failure of %i levels is put into words all the same', (levels) =>
  tally.tried(() => {
    const kind = { kind: 'bad-output', what: 'x', detail: 'y' }
    const deep = JSON.parse(`${'['.repeat(levels)}"\\u001b"${']'.repeat(levels)}`) as unknown
    for (const failure of [
      { ...kind, more: deep },
      { kind: 'of-tomorrow', more: deep }
    ])
      expect(harmIn(texts(describeFailure(failure as never)))).toBeUndefined()
  })
)

const MARKUP = [
  '<b>web</b>',
  '<a href="https://example.net">log in again</a>',
  '<img src="https://example.net/x" alt="">',
  '<span foreground="red">',
  '</b></i>',
  '<!-- x -->',
  '&lt;b&gt;',
  '&#60;b&#62;',
  '&#x3c;b&#x3e;',
  '&amp;lt;',
  '<<b>>',
  'a < b && c > d',
  '<',
  '&',
  '\u202e<b>'
]

describe('a notification', () => {
  it.each(MARKUP)('shows %j as text where the server draws markup', (name) =>
    tally.tried(() => {
      const { title, body } = notified('linux', name, name)
      expect(body).not.toMatch(/[<>]|&(?!(lt|gt|amp);)/)
      expect(read(body)).toBe(safeText(name))
      expect(title).not.toMatch(/<|&#?\w+;/)
    })
  )

  it.each(MARKUP)('shows %j as it is where no server draws markup', (name) =>
    tally.tried(() => {
      for (const platform of ['darwin', 'win32'] as const)
        expect(notified(platform, name, name)).toEqual({ title: safeText(name), body: safeText(name) })
    })
  )
})

/** As a server of notifications reads the body. */
const read = (body: string): string =>
  body.replaceAll(/&(lt|gt|amp);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&' })[name] ?? '')

it.each(['R&D', '&File', 'a&&b', '_x', '&', 'x &Quit'])('%j is no shortcut in the menu of the tray', (name) =>
  tally.tried(() => {
    const { labels } = trayShows(name)
    const shown = labels.find((label) => label.includes('Backing up'))
    expect(shown?.replaceAll('&&', '')).not.toContain('&')
    expect(shown?.replaceAll('&&', '&')).toContain(name)
  })
)

it.each([
  '=1+1',
  '+1',
  '-1+1',
  '@SUM(A1)',
  "=cmd|' /C calc'!A0",
  '\t=1+1',
  '\r=1+1',
  '\n=1+1',
  ' =1+1',
  '\u200b=1+1',
  '\u00a0=1+1',
  '＝1+1',
  '＠SUM(A1)',
  'a;=1+1',
  'a; @x',
  '";=1+1',
  'a","=1+1'
])('%j is no formula in a spreadsheet', (name) =>
  tally.tried(() => {
    const line = downtimeCsv([
      { at: '', kind: 'backup', host: 'h', vm: name, vmUuid: 'u', phases: [], pauses: [] } as never
    ])
    for (const separator of [',', ';'])
      for (const cell of cellsOf(line.split('\r\n')[1] ?? '', separator))
        expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/)
  })
)

/** As a spreadsheet takes a line apart: quotes count only where a cell begins with one. */
const cellsOf = (line: string, separator: string): string[] =>
  Array.from(line.matchAll(new RegExp(`(?:^|${separator})("(?:[^"]|"")*"|[^${separator}]*)`, 'g')), ([, cell = '']) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
  )

it.each(['```', 'a```b', '``````', '<!channel>', '<https://example.net|log in>', '&lt;!channel&gt;'])(
  '%j stays within its block in Slack, and calls nobody',
  (name) =>
    tally.tried(() => {
      const { body } = webhookRequest({ form: 'slack', url: 'https://hooks.example.org/x' }, messageOf(name))
      const { text } = body as { text: string }
      expect(text.slice(text.indexOf('\n')).match(/```/g)).toHaveLength(2)
      expect(text).not.toMatch(/[<>]|&(?!(lt|gt|amp);)/)
    })
)

it('columns stand below each other whatever the letters', () => {
  for (const { what, text } of [...HONEST, ...UNSAFE])
    expect(
      new Set(
        table(
          ['VM', 'S'],
          [
            [text, '|'],
            ['web', '|']
          ]
        )
          .slice(1)
          .map((line) => textWidth(line.slice(0, line.indexOf('|'))))
      ).size,
      what
    ).toBe(1)
})

/** What a person types, for each command that shows something of a host. */
const COMMANDS: readonly (readonly string[])[] = [
  ['vm', 'list'],
  ['vm', 'autostart', 'evil/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'],
  ['points'],
  ['points', 'evil'],
  ['points', 'silent'],
  ['show', '2026'],
  ['show', '2020'],
  ['jobs'],
  ['jobs', 'evil'],
  ['job', 'follow', JOB],
  ['job', 'cancel', JOB],
  ['downtime'],
  ['history'],
  ['history', '--host', 'evil'],
  ['backup', 'evil/0b5e3a52-9a3c-4a3e-8f55-6c2a1d5f0e11'],
  ['backup', 'evil/no-such'],
  ['restore', '2026', '--to', 'evil'],
  ['restore', '2026', '--to', 'evil', '--check'],
  ['restore', '2026', '--to', 'silent'],
  ['copy', '2026', '--to', 'silent'],
  ['verify', '2026'],
  ['delete', '2026'],
  ['pin', '2026', '--note', 'x'],
  ['unpin', '2026'],
  ['doctor', 'evil'],
  ['doctor', 'evil', '--let-go', JOB],
  ['doctor', 'silent'],
  ['policy', 'list'],
  ['policy', 'show', POLICY],
  ['policy', 'edit', POLICY, '--jitter', '5'],
  ['policy', 'run', POLICY],
  ['policy', 'run', POLICY, '--wait'],
  ['policy', 'pause', POLICY],
  ['policy', 'remove', POLICY],
  ['prune', POLICY, '--dry-run'],
  ['channels', 'show', '--host', 'evil'],
  ['channels', 'test', 'mail', '--host', 'evil'],
  ['channels', 'remove', 'mail', '--host', 'evil'],
  ['host', 'list'],
  ['host', 'probe', 'evil'],
  ['host', 'remove', 'evil', '--clean']
]

/** One of each kind, and what is not of this world: few, as each runs every command four times. */
const FOR_COMMANDS = UNSAFE_TEXTS.filter(({ what }) =>
  ['colours', 'a cleared screen', 'a line', 'a line of NEL', 'an extension turned round', 'a tower of marks'].includes(
    what
  )
)

/** Everything that left the process, and what was thrown. */
async function ran(argv: readonly string[], json: boolean, name: string, state?: 'failed-needs-you'): Promise<string> {
  const [stdout, stderr] = [page(), page(!json)]
  const out = output(json, { stdout, stderr })
  const questions: string[] = []
  const terminal: Terminal = {
    interactive: !json,
    ask: (lines) => {
      const { before, question } = asked(lines)
      questions.push(before + question)
      return Promise.resolve('yes')
    }
  }
  const interrupts = new Interrupts()
  let chosen: Action | undefined
  const program = buildProgram((_, action) => (chosen = action))
  await program.parseAsync([...argv], { from: 'user' })
  try {
    const core = hostileCore(name, state)
    for (const notice of core.settings.notices) out.note(notice, 'warning')
    await chosen?.({ core, out, terminal, interrupts })
  } catch (error) {
    const failure = failureOf(error)
    expect(failure, `${argv.join(' ')}: ${String(error)}`).not.toMatchObject({ kind: 'bug' })
    out.failed(failure)
  } finally {
    interrupts.close()
  }
  return [withoutBar(stdout.text), withoutBar(stderr.text), ...questions].join('\n')
}

describe.each(COMMANDS.map((argv) => ({ line: argv.join(' '), argv })))('stillpoint $line', ({ argv }) => {
  it('prints nothing that a host could do harm with', async () => {
    for (const { what, text } of FOR_COMMANDS)
      await tally.tried(async () => {
        const shown = (await ran(argv, false, text)) + (await ran(argv, false, text, 'failed-needs-you'))
        expect(harmIn(shown), what).toBeUndefined()
        const json = await ran(argv, true, text)
        expect(harmIn(json), what).toBeUndefined()
        for (const line of json.split('\n').filter((each) => each !== '')) JSON.parse(line)
      })
  })
})

it.each(['host-key', 'passphrase'])('the question for a %s shows what a host says as text', async (which) => {
  for (const { text } of UNSAFE_TEXTS)
    await tally.tried(async () => {
      const seen: string[] = []
      const terminal: Terminal = {
        interactive: true,
        ask: (lines) => Promise.resolve(void seen.push(Object.values(asked(lines)).join('')))
      }
      const questions = connectQuestions(false, terminal)
      if (which === 'passphrase') await questions.passphrase(text)
      else await questions.unknownHostKey({ address: text, keyType: text, fingerprint: text })
      expect(seen).toHaveLength(1)
      expect(harmIn(seen.join(''))).toBeUndefined()
    })
})

it('what is not understood is quoted as text', async () => {
  for (const { text } of UNSAFE_TEXTS.filter((each) => !each.text.includes('\0')))
    for (const argv of [[`--${text}`], [text], ['points', `--${text}`], ['backup', 'a/b', '--budget', text]])
      await tally.tried(async () => expect(harmIn(await misread(argv))).toBeUndefined())
})

async function misread(argv: readonly string[]): Promise<string> {
  let said = ''
  const stderr = process.stderr.write.bind(process.stderr)
  process.stderr.write = (text: string | Uint8Array): boolean => ((said += String(text)), true)
  try {
    await buildProgram(() => undefined).parseAsync([...argv], { from: 'user' })
  } catch {
    // usage
  } finally {
    process.stderr.write = stderr
  }
  return said
}
