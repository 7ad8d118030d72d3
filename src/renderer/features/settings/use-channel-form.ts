import { useState } from 'react'
import { useWindow } from '../../state/store-context.ts'
import type { ChannelHost, Drafted, Problems } from './channel-draft.ts'
import type { KnownHost } from './channel-dialog.tsx'

export interface ChannelForm<D> {
  readonly draft: D
  readonly put: (change: Partial<D>) => void
  readonly chosen: readonly string[]
  readonly choose: (hosts: readonly string[]) => void
  /** What is wrong with what was typed; with what is empty only once somebody wanted to save it. */
  readonly problems: Problems<D>
  /** Somebody wanted to save it. */
  readonly isTried: boolean
  readonly submit: () => void
}

interface FormOf<D> {
  readonly hosts: readonly KnownHost[]
  /** Chosen at first; undefined: every host that answers. */
  readonly first: string | undefined
  readonly begin: D
  readonly read: (draft: D, hosts: readonly ChannelHost[]) => Drafted<D>
}

/** What is typed into the dialog, and the way to the hosts. It closes when all of them have it. */
export function useChannelForm<D extends object>({ hosts, first, begin, read }: FormOf<D>): ChannelForm<D> {
  const [draft, setDraft] = useState(begin)
  const [chosen, choose] = useState<readonly string[]>(() => chosenAtFirst(hosts, first))
  const [isTried, setTried] = useState(false)
  const save = useWindow((state) => state.saveChannel)
  const close = useWindow((state) => state.closeChannelForm)
  const drafted = read(
    draft,
    hosts.filter(({ host }) => chosen.includes(host))
  )
  const problems = 'problems' in drafted ? drafted.problems : {}
  const submit = (): void => {
    setTried(true)
    if ('problems' in drafted || chosen.length === 0) return
    void save(chosen, drafted.change).then((isSaved) => isSaved && close())
  }
  return {
    draft,
    put: (change) => setDraft({ ...draft, ...change }),
    chosen,
    choose,
    problems: isTried ? problems : ofWhatIsTyped(problems, draft),
    isTried,
    submit
  }
}

const chosenAtFirst = (hosts: readonly KnownHost[], first: string | undefined): readonly string[] =>
  first === undefined ? hosts.filter(({ isReachable }) => isReachable).map(({ host }) => host) : [first]

const ofWhatIsTyped = <D extends object>(problems: Problems<D>, draft: D): Problems<D> =>
  Object.fromEntries(Object.entries(problems).filter(([key]) => draft[key as keyof D] !== '')) as Problems<D>
