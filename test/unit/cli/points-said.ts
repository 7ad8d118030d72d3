import { pointsCommand } from '../../../src/main/doors/cli/commands/points.ts'
import type { Session } from '../../../src/main/doors/cli/session.ts'
import type { PaperLaptop } from '../live/paper-laptop.ts'

export interface Said {
  readonly lines: string[]
  readonly notes: string[]
  readonly result: unknown
}

/** What `stillpoint points` says, and gives to scripts. */
export async function pointsSaid(
  laptop: PaperLaptop,
  command = pointsCommand,
  words: readonly string[] = []
): Promise<Said> {
  const all = { lines: [] as string[], notes: [] as string[], result: undefined as unknown }
  const out = {
    json: false,
    line: (lines: string | string[]) => void all.lines.push(...[lines].flat()),
    note: (note: string) => void all.notes.push(note),
    result: (result: unknown) => void (all.result = result)
  }
  const done = new Promise<void>((resolve, reject) => {
    const perform = (_: unknown, run: (session: Session) => Promise<unknown>): void =>
      void run({ core: laptop.core, out } as unknown as Session).then(() => resolve(), reject)
    command(perform).parse([...words], { from: 'user' })
  })
  await done
  return all
}
