import type { JobView } from '../../shared/views/job-view.ts'
import type { Choices } from '../../shared/views/settings-view.ts'
import { onClose, onQuit, type CloseAnswer, type CloseQuestion } from './close-decision.ts'

export interface LeavingPorts {
  choice(): Choices['onClose']
  running(): readonly JobView[]
  hasTray(): Promise<boolean>
  /** Never rejects: who cannot be asked stays. */
  ask(question: CloseQuestion): Promise<CloseAnswer>
  remember(choice: 'tray' | 'quit'): void
  hide(): void
  quit(): void
}

interface Stoppable {
  preventDefault(): void
}

/** Stands between a click on the cross and the end of the app. */
export class Leaving {
  private readonly ports: LeavingPorts
  private agreed = false
  private deciding = false

  constructor(ports: LeavingPorts) {
    this.ports = ports
  }

  /** The session ends: nobody is there to be asked, and it must not wait. */
  agree(): void {
    this.agreed = true
  }

  /** The window wants to close. */
  closing(event: Stoppable): void {
    this.decide(event, async () => onClose(this.ports.choice(), await this.ports.hasTray(), this.ports.running()))
  }

  /** The app wants to quit: by menu, by tray, by the dock. */
  quitting(event: Stoppable): void {
    const decision = onQuit(this.ports.running())
    if (decision === 'quit') this.agree()
    else this.decide(event, () => Promise.resolve(decision))
  }

  private decide(event: Stoppable, decision: () => Promise<CloseAnswer | CloseQuestion>): void {
    if (this.agreed) return
    event.preventDefault()
    if (this.deciding) return
    this.deciding = true
    void this.settle(decision).finally(() => (this.deciding = false))
  }

  private async settle(decision: () => Promise<CloseAnswer | CloseQuestion>): Promise<void> {
    const decided = await decision()
    if (typeof decided === 'string') {
      this.follow(decided)
      return
    }
    const answer = await this.ports.ask(decided)
    if (decided.remember && answer !== 'stay') this.ports.remember(answer === 'hide' ? 'tray' : 'quit')
    this.follow(answer)
  }

  private follow(answer: CloseAnswer): void {
    if (answer === 'hide') this.ports.hide()
    if (answer !== 'quit') return
    this.agree()
    this.ports.quit()
  }
}
