import { drained, GoodHost, type Asked } from './good-host.ts'
import type { Lie } from './lies.ts'
import type { Command } from './played-sshd.ts'

/** Answers rightly as well, but for what it was told to lie about: so a lie meets a controller that is deep in its work. */
export class HostileHost extends GoodHost {
  private readonly lies = new Map<Asked, Lie>()
  private readonly heard = new Map<Asked, () => void>()
  /** What it lies to just now. */
  private readonly lying = new Set<Command>()

  /** From now on, until it is told something else. */
  lieAbout(asked: Asked, lie: Lie | undefined): void {
    if (lie === undefined) this.lies.delete(asked)
    else this.lies.set(asked, lie)
  }

  /** Resolves when it has been asked this the next time, and has said what it says. */
  untilAsked(asked: Asked): Promise<void> {
    return new Promise((resolve) => this.heard.set(asked, resolve))
  }

  /** As much as is taken, and no faster. Returns by how many. */
  async sayAsFastAsHeard(where: 'folders' | 'events', text: string): Promise<number> {
    const heard = [...this.watchers[where]]
    await Promise.all(heard.map((command) => command.out(text)))
    return heard.filter((command) => !command.isOver()).length
  }

  /** Whoever watches it has to ask anew. */
  endWatches(): void {
    const watched = [...this.watchers.folders, ...this.watchers.events, ...this.lying]
    watched.forEach((command) => command.exit(0))
  }

  protected override async answer(asked: Asked, command: Command, question?: Promise<string>): Promise<void> {
    const lie = this.lies.get(asked)
    const heard = this.heard.get(asked)
    this.heard.delete(asked)
    if (lie === undefined) await super.answer(asked, command, question)
    else await this.tell(lie, command, () => this.rightAnswer(asked, command, question))
    heard?.()
  }

  private async tell(lie: Lie, command: Command, right: () => Promise<string>): Promise<void> {
    this.lying.add(command)
    void command.over.then(() => this.lying.delete(command))
    void drained(command.input)
    await lie.tell(command, right)
  }

  /** As text, without saying it. */
  private async rightAnswer(asked: Asked, command: Command, question?: Promise<string>): Promise<string> {
    let text = ''
    const { argv, marker, session, input, over } = command
    const put = (bytes: string | Uint8Array): Promise<void> => {
      text += Buffer.from(bytes).toString('utf8')
      return Promise.resolve()
    }
    const nothing = (): undefined => undefined
    const silent = { argv, marker, session, input, over, isOver: () => command.isOver(), out: put, err: put }
    const without = { begin: () => Promise.resolve(), exit: nothing, die: nothing, closeOutputs: nothing }
    await this.answerRightly(asked, { ...silent, ...without }, question)
    return text
  }
}
