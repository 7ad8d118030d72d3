import { randomUUID } from 'node:crypto'
import type { Question } from '../../../shared/views/notice-view.ts'
import type { ConnectQuestions } from '../ssh/host-connection.ts'
import { LiveValue } from './live-value.ts'

/** Nobody is there: connecting then goes on without the answer. */
const PATIENCE_MS = 300_000

/** What only a person can answer, asked of whatever window is open. */
export class Questions {
  readonly open = new LiveValue<readonly Question[]>(0, [])
  private readonly waiting = new Map<string, (text: string | undefined) => void>()

  /** For connecting. A key that nobody has vouched for is refused here: the window shows it and connects again. */
  readonly forConnecting: ConnectQuestions = {
    unknownHostKey: () => Promise.resolve(false),
    passphrase: (identityFile) => this.ask(identityFile)
  }

  answer(id: string, text: string | undefined): void {
    this.waiting.get(id)?.(text)
  }

  /** Several hosts with the same key ask once. */
  private ask(identityFile: string): Promise<string | undefined> {
    const known = (this.open.value ?? []).find((question) => question.identityFile === identityFile)
    const id = known?.id ?? randomUUID()
    return new Promise((resolve) => {
      const earlier = this.waiting.get(id)
      const timer = setTimeout(() => this.answer(id, undefined), PATIENCE_MS)
      this.waiting.set(id, (text) => {
        clearTimeout(timer)
        earlier?.(text)
        this.close(id)
        resolve(text)
      })
      if (known === undefined) this.open.set([...(this.open.value ?? []), { id, kind: 'passphrase', identityFile }])
    })
  }

  private close(id: string): void {
    this.waiting.delete(id)
    this.open.set((this.open.value ?? []).filter((question) => question.id !== id))
  }
}
