import { readFileSync } from 'node:fs'
import { fail } from '../../../shared/failure.ts'
import type { Terminal } from './terminal.ts'

const LONGEST = 4096

/**
 * A secret from a file, from standard input (`-`), or from a person. Never an argument: those are seen by everyone on the
 * machine (`ps`), and stay in the shell's history. Undefined: none was given.
 */
export async function readSecret(
  file: string | undefined,
  question: string,
  terminal: Terminal
): Promise<string | undefined> {
  const text = file === undefined ? await terminal.ask(question, true) : readText(file)
  const secret = text?.replace(/\r?\n$/, '')
  if (secret !== undefined && secret.length > LONGEST)
    fail({ kind: 'usage', message: `A secret has at most ${LONGEST} characters.` })
  return secret === '' ? undefined : secret
}

/** @throws `usage` if it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    return fail({
      kind: 'usage',
      message: `${file} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`
    })
  }
}
