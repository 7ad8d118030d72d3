import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { keep } from '../../src/engine/evidence/verdict.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { forShell } from '../../src/shared/model/restore-choice.ts'
import { quoted } from '../../src/shared/quoted.ts'
import { oneLine, safeLines } from '../../src/shared/safe-text.ts'
import { tallyOf } from './tally.ts'
import { UNSAFE_CHARACTERS, UNSAFE_TEXTS } from './unsafe-texts.ts'

const tally = tallyOf('pasted')

const shells = ['/bin/bash', '/bin/zsh', '/bin/ksh', '/bin/busybox'].filter((shell) => existsSync(shell))
const asRead = (shell: string, line: string): string =>
  execFileSync(shell, [...(shell.endsWith('busybox') ? ['sh'] : []), '-c', line]).toString()

/** No name holds a NUL, and halves of characters cannot be written. */
const canBeNamed = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
const NAMES = [...UNSAFE_CHARACTERS, ...UNSAFE_TEXTS, ...ordinary()].filter(({ text }) => canBeNamed(text))

function ordinary(): { what: string; text: string }[] {
  const texts = [
    '',
    'web1',
    "it's",
    'My VMs',
    'a  b',
    '$(touch x)',
    '`id`',
    'a\\b',
    '-rf',
    '~',
    '*',
    '!!',
    'größe',
    '数据库',
    '👨‍👩‍👧'
  ]
  return texts.map((text) => ({ what: text, text }))
}

describe('a line to type that names a file', () => {
  it.each(NAMES)('is read by a shell as that very file: $what', ({ text }) =>
    tally.tried(() => {
      const path = `/srv/My VMs/${text}.qcow2`
      const { nextStep } = describeFailure({
        kind: 'left-behind',
        vm: 'web1',
        left: [{ ...keep(path, 'it may hold what the VM wrote last', `printf %s ${quoted(path)}`) }]
      })
      expect(safeLines(nextStep)).toBe(nextStep)
      for (const shell of shells) expect(asRead(shell, nextStep)).toBe(path)
    })
  )

  it.each(NAMES)('so is a flag of a restore: $what', ({ text }) =>
    tally.tried(() => {
      const line = forShell(['printf', '%s', text])
      expect(safeLines(line)).toBe(line)
      for (const shell of shells) expect(asRead(shell, line)).toBe(text)
    })
  )
})

describe('the reason that a file stays', () => {
  it.each(['/srv/My VMs/a  b.qcow2', '/srv/ two', '/srv/a\u00a0b', '/srv/a\u3000\u3000b', '/srv/a\u2003'])(
    'names it with all its spaces: %j',
    (path) =>
      tally.tried(() => {
        const left = [{ path, because: `it belongs at ${path}`, mend: [] }]
        const { explanation } = describeFailure({ kind: 'left-behind', vm: 'web1', left })
        const shown = path.replaceAll(/[\u00a0\u2003\u3000]/g, (space) => `\\u{${space.charCodeAt(0).toString(16)}}`)
        expect(explanation).toBe(`${shown} stays: it belongs at ${shown}.`)
        expect(oneLine(path)).toBe(shown)
      })
  )
})
