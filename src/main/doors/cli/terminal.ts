import { createInterface } from 'node:readline'
import { safeText } from '../../../shared/safe-text.ts'
import { printed, type Lines } from './output.ts'

/** A person to ask, or nobody. Never asked in `--json`, in a pipe or under cron. */
export interface Terminal {
  readonly interactive: boolean
  /** What was typed behind the last line, trimmed. Undefined: Ctrl-C, Ctrl-D, or nobody there. */
  ask(question: Lines, hidden?: boolean): Promise<string | undefined>
}

export const nobody: Terminal = { interactive: false, ask: () => Promise.resolve(undefined) }

export function terminal(json: boolean): Terminal {
  const interactive = !json && process.stdin.isTTY && process.stderr.isTTY
  return interactive ? { interactive, ask } : nobody
}

function ask(lines: Lines, hidden = false): Promise<string | undefined> {
  // Only the last line is readline's: it draws its prompt again and again.
  const { before, question } = asked(lines)
  process.stderr.write(before)
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: true })
  if (hidden) hideTyping(reader, question)
  return new Promise((resolve) => {
    const end = (answer: string | undefined): void => {
      resolve(answer) // before closing, which answers as well: with nothing
      reader.close()
    }
    reader.once('SIGINT', () => end(undefined))
    reader.once('close', () => resolve(undefined))
    reader.question(question, (answer) => end(answer.trim()))
  })
}

/** A question as it is printed: its last line, and what stands above. */
export function asked(lines: Lines): { readonly before: string; readonly question: string } {
  const all = typeof lines === 'string' ? [lines] : lines
  return { before: printed(all.slice(0, -1)), question: safeText(all.at(-1) ?? '') }
}

/** readline echoes through this undocumented but long-standing method; the question itself still shows. */
function hideTyping(reader: object, question: string): void {
  Object.assign(reader, {
    _writeToOutput: (text: string): void => {
      if (text.includes(question)) process.stderr.write(question)
      else if (text === '\r\n') process.stderr.write('\n')
    }
  })
}
