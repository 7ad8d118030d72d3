import { openCore, type Core } from '../../core/core.ts'
import { packageRoot } from '../../core/package.ts'
import { cacheFolder, settingsFolder } from '../../core/settings/folders.ts'
import type { Failure } from '../../../shared/failure.ts'
import { errorLog } from '../error-log.ts'
import { connectQuestions } from './connect-questions.ts'
import { Interrupts } from './interrupts.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. */
export interface Session {
  /** Opened when it is first asked for: `serve` has one of its own. */
  readonly core: Core
  readonly out: Output
  readonly terminal: Terminal
  readonly interrupts: Interrupts
}

export interface OpenSession extends Session {
  close(): Promise<void>
}

export function openSession(out: Output, terminal: Terminal, acceptNew: boolean): OpenSession {
  let core: Core | undefined
  return {
    get core() {
      core ??= coreOfTerminal(out, terminal, acceptNew)
      return core
    },
    ...{ out, terminal, interrupts: new Interrupts() },
    close: async () => core?.close()
  }
}

function coreOfTerminal(out: Output, terminal: Terminal, acceptNew: boolean): Core {
  const core = openCore({
    folder: settingsFolder(process.env),
    cache: cacheFolder(process.env),
    root: packageRoot(),
    questions: connectQuestions(acceptNew, terminal),
    onPlacing: (name, what, doneBytes, totalBytes) =>
      out.progress({ phase: `putting the ${what} on ${name}`, doneBytes, totalBytes })
  })
  sayOfFiles(core, out)
  return core
}

/** What the operator should hear of the settings, of host keys, and of the history. */
export function sayOfFiles({ settings, keyNotices, history }: Core, out: Output): void {
  for (const notice of [...settings.notices, ...keyNotices]) out.note(notice, 'warning')
  history.listen(({ title, text }) => out.note(`${title}: ${text}`, 'warning'))
}

/** A bug's details, under the reference that was shown. */
export function logBug(failure: Failure, out: Output): void {
  if (failure.kind !== 'bug') return
  errorLog(settingsFolder(process.env), undefined, (text) => out.note(text, 'warning'))(failure)
}
