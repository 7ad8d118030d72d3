import { Command, InvalidArgumentError } from 'commander'
import { LONGEST_NOTE } from '../../../shared/views/point-view.ts'

/** A command that does something: every one has `--json`, and examples in its help. */
export function leaf(form: string, description: string, examples: readonly string[]): Command {
  const [name = '', ...parameters] = form.split(' ')
  return parameters
    .reduce((command, parameter) => command.argument(parameter), new Command(name).description(description))
    .option('--json', 'JSON lines for machines; the last line is the result')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ stillpoint ${example}`).join('\n')}`)
}

export function positiveMs(text: string): number {
  const ms = Number(text)
  if (!Number.isFinite(ms) || ms <= 0 || ms > 3_600_000)
    throw new InvalidArgumentError('Milliseconds, more than 0 and at most 3600000.')
  return ms
}

export function absolutePath(text: string): string {
  if (!text.startsWith('/') || text.length > 4096)
    throw new InvalidArgumentError('An absolute path on the host, such as /srv/points.')
  return text
}

/** `vda,vdb` */
export const commaList = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

export function noteText(text: string): string {
  if (text.length > LONGEST_NOTE) throw new InvalidArgumentError(`At most ${LONGEST_NOTE} characters.`)
  return text
}
