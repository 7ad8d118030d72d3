import type { RestoreSpec } from '../../shared/model/job.ts'
import {
  cardTargetOf,
  type CardTarget,
  type PlainChoice,
  type RestoreChoice
} from '../../shared/model/restore-choice.ts'
import type { CardSource } from '../../libvirt/network-cards.ts'

/** Something that was decided. `isAsked`: for this very restore, so that it is done whether or not anything is amiss. */
export interface Chosen<T> {
  readonly value: T
  readonly isAsked: boolean
}

const MAPPING = { network: 'map-network', bridge: 'map-bridge', device: 'map-device' } as const

/** What was chosen for this restore, and what was chosen for this host before. */
export class Choices {
  private readonly asked: readonly RestoreChoice[]
  private readonly remembered: readonly RestoreChoice[]

  constructor({ choices = [], remembered = [] }: Pick<RestoreSpec, 'choices' | 'remembered'>) {
    this.asked = choices
    this.remembered = remembered
  }

  /** Where cards go that are on this. */
  cards({ on, name }: CardSource): Chosen<CardTarget> | undefined {
    const kind = MAPPING[on]
    return this.find((choice) =>
      choice.kind === kind && choice.from === name ? cardTargetOf({ kind, to: choice.to }) : undefined
    )
  }

  /** Undefined: not chosen. */
  plain(kind: PlainChoice): Chosen<true> | undefined {
    return this.find((choice) => (choice.kind === kind ? true : undefined))
  }

  listen(): Chosen<string> | undefined {
    return this.find((choice) => (choice.kind === 'listen' ? choice.address : undefined))
  }

  memoryMib(): Chosen<number> | undefined {
    return this.find((choice) => (choice.kind === 'memory' ? choice.mib : undefined))
  }

  drops(device: string): Chosen<true> | undefined {
    return this.find((choice) => (choice.kind === 'drop' && choice.device === device ? true : undefined))
  }

  /** The folder for a disk, of this restore: that of another VM says nothing. */
  diskDir(target: string): string | undefined {
    return this.asked
      .flatMap((choice) => (choice.kind === 'disk-dir' && choice.disk === target ? [choice.dir] : []))
      .at(-1)
  }

  /** Devices that are to go by their names, for this restore. */
  get askedDrops(): string[] {
    return this.asked.flatMap((choice) => (choice.kind === 'drop' ? [choice.device] : []))
  }

  /** Of networks, bridges and devices whose cards are to move, for this restore. */
  get askedCards(): CardSource[] {
    return this.asked.flatMap((choice) => {
      const [on] = Object.entries(MAPPING).find(([, kind]) => kind === choice.kind) ?? []
      return 'from' in choice && (on === 'network' || on === 'bridge' || on === 'device')
        ? [{ on, name: choice.from }]
        : []
    })
  }

  private find<T>(read: (choice: RestoreChoice) => T | undefined): Chosen<T> | undefined {
    for (const choice of this.asked) {
      const value = read(choice)
      if (value !== undefined) return { value, isAsked: true }
    }
    for (const choice of this.remembered) {
      const value = read(choice)
      if (value !== undefined) return { value, isAsked: false }
    }
    return undefined
  }
}
