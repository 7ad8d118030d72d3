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
  readonly core: Core
  readonly out: Output
  readonly terminal: Terminal
  readonly interrupts: Interrupts
}

export function openSession(out: Output, terminal: Terminal, acceptNew: boolean): Session {
  const core = openCore({
    folder: settingsFolder(process.env),
    cache: cacheFolder(process.env),
    root: packageRoot(),
    questions: connectQuestions(acceptNew, terminal),
    onPlacing: (name, what, doneBytes, totalBytes) =>
      out.progress({ phase: `putting the ${what} on ${name}`, doneBytes, totalBytes })
  })
  for (const notice of [...core.settings.notices, ...core.keyNotices]) out.note(notice, 'warning')
  core.history.listen(({ title, text }) => out.note(`${title}: ${text}`, 'warning'))
  return { core, out, terminal, interrupts: new Interrupts() }
}

/** A bug's details, under the reference that was shown. */
export function logBug(failure: Failure, out: Output): void {
  if (failure.kind !== 'bug') return
  errorLog(settingsFolder(process.env), undefined, (text) => out.note(text, 'warning'))(failure)
}
