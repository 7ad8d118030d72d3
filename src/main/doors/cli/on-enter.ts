import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/**
 * Acts each time that somebody presses Enter at this program's terminal. Only while it is in the foreground: in the
 * background the keys are the shell's, and who reads them there is stopped by the terminal.
 */
export function onEnter(act: () => void): () => void {
  const reader = createInterface({ input: process.stdin, terminal: false })
  const follow = (): void => {
    if (isInForeground()) reader.resume()
    else reader.pause()
  }
  reader.on('line', act)
  follow()
  if (process.platform !== 'win32') process.on('SIGCONT', follow)
  return () => {
    process.off('SIGCONT', follow)
    reader.close()
  }
}

function isInForeground(): boolean {
  if (process.platform === 'win32') return true
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'stat=', '-p', String(process.pid)], { encoding: 'utf8' }).includes('+')
    // Behind the name in brackets: state, parent, group, session, terminal, the terminal's group.
    const [, , group, , , terminalGroup] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return group === terminalGroup
  } catch {
    return false
  }
}
