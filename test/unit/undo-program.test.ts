import { describe, expect, it } from 'vitest'
import { keep, type Kept } from '../../src/engine/evidence/verdict.ts'
import { runProgram, type UndoStep } from '../../src/engine/recover/program.ts'
import type { JobContext } from '../../src/engine/jobs/job-context.ts'

/** A job that only notes what is announced and what is said. */
function noting(): { job: JobContext; lines: string[] } {
  const lines: string[] = []
  const job = {
    async step<T>(name: string, _data: object, work: () => Promise<T>): Promise<T> {
      lines.push(name)
      const result = await work()
      lines.push(`${name} done`)
      return result
    },
    note: (text: string) => void lines.push(text)
  } as unknown as JobContext
  return { job, lines }
}

const step = (name: string, work: () => Promise<Kept | undefined>, needs: string[] = []): UndoStep => ({
  name,
  needs,
  work
})
const well = () => Promise.resolve(undefined)
const badly = () => Promise.reject(new Error('no luck'))

describe('an undo', () => {
  it('announces each step and notes it when it is done', async () => {
    const { job, lines } = noting()
    expect(await runProgram(job, [step('one', well), step('two', well)])).toEqual([])
    expect(lines).toEqual(['one', 'one done', 'two', 'two done'])
  })

  it('goes on behind a step that fails, says so, and fails in the end', async () => {
    const { job, lines } = noting()
    await expect(runProgram(job, [step('one', badly), step('two', well)])).rejects.toThrow('no luck')
    expect(lines).toContain('two done')
    expect(lines.join()).toContain('one did not get through')
  })

  it('leaves out what needs a step that failed, and what needs that', async () => {
    const { job, lines } = noting()
    const steps = [step('one', badly), step('two', well, ['one']), step('three', well, ['two']), step('four', well)]
    await expect(runProgram(job, steps)).rejects.toThrow('no luck')
    expect(lines.filter((line) => line.endsWith(' done'))).toEqual(['four done'])
  })

  it('answers what had to stay as it is', async () => {
    const left = keep('/srv/overlay', 'the VM has migrated')
    const { job } = noting()
    expect(await runProgram(job, [step('one', () => Promise.resolve(left)), step('two', well)])).toEqual([left])
  })
})
