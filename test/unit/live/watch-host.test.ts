import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { HostWatch, type HostListener } from '../../../src/main/core/live/watch-host.ts'
import { StillpointError } from '../../../src/shared/failure.ts'
import type { Shell } from '../../../src/shared/shell.ts'
import { eventually } from '../../patience.ts'

const unreachable = new StillpointError({ kind: 'host-unreachable', host: 'alpha', reason: 'no route' })
let watch: HostWatch | undefined
afterEach(() => watch?.stop())

function watching(connection: () => Promise<unknown>) {
  const said: string[] = []
  const listener: HostListener = {
    connecting: () => said.push('connecting'),
    up: () => said.push('up'),
    contact: () => Promise.resolve(void said.push('contact')),
    moved: (folders) => Promise.resolve(void said.push(...folders)),
    down: ({ kind }) => said.push(`down: ${kind}`)
  }
  const drop = vi.fn(() => Promise.resolve())
  const core = { connections: { connection, drop } } as unknown as Core
  watch = new HostWatch(core, 'alpha', listener)
  return { said, drop, watch }
}

/** Of a host without VMs on which nothing moves. */
const shellThat = (isAsleep: () => boolean): Pick<Shell, 'label' | 'run'> => ({
  label: 'alpha',
  run: async (argv, { signal, timeoutMs, onStdout } = {}) => {
    if (isAsleep()) throw unreachable
    if (timeoutMs === Infinity) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    const sections = ['begin', 'list-status', 'end'].map((name) => `\n${argv.at(-1)} ${name}\n0\n`)
    if (timeoutMs !== Infinity) await onStdout?.(Buffer.from(sections.join('')))
    return { stdout: '', stderr: '', exitCode: 0, signal: undefined }
  }
})

describe('the eye on a host', () => {
  it('says why a host is down, and tries again at once when it is asked to look', async () => {
    const { said, watch } = watching(() => Promise.reject(unreachable))
    await eventually(() => expect(said).toEqual(['connecting', 'down: host-unreachable']))
    watch.refresh()
    await eventually(() => expect(said.slice(2)).toEqual(['connecting', 'down: host-unreachable']))
  })

  it('after a sleep counts what it knew as old, and lets go of a connection that has died', async () => {
    const shell = { run: () => Promise.reject(unreachable) }
    const { said, drop, watch } = watching(() => Promise.resolve({ shell }))
    await eventually(() => expect(said).toContain('down: host-unreachable'))
    said.length = 0
    watch.wake()
    expect(said[0]).toBe('connecting')
    await eventually(() => expect(drop).toHaveBeenCalledWith('alpha'))
  })

  it('after a sleep asks through a connection that lives on what happened meanwhile', async () => {
    let isAsleep = false
    const { said, drop, watch } = watching(() => Promise.resolve({ shell: shellThat(() => isAsleep) }))
    await eventually(() => expect(said).toContain('contact'))
    said.length = 0
    watch.wake()
    await eventually(() => expect(said).toContain('contact'))
    expect(said[0]).toBe('connecting')
    expect(drop).not.toHaveBeenCalled()
    isAsleep = true
    watch.wake()
    await eventually(() => expect(drop).toHaveBeenCalledWith('alpha'))
    expect(said.filter((each) => each === 'contact')).toHaveLength(1)
  })

  it('stops when it is told to', async () => {
    const { said, watch } = watching(() => Promise.reject(unreachable))
    await eventually(() => expect(said).toHaveLength(2))
    watch.stop()
    watch.refresh()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(said).toHaveLength(2)
  })
})
