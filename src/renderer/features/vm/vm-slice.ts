import type { StateCreator } from 'zustand/vanilla'
import type { Bridge } from '../../../shared/contract.ts'
import type { Failure } from '../../../shared/failure.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { Result } from '../../../shared/result.ts'
import { ask } from '../../state/ask.ts'
import type { RouteSlice } from '../../state/route-slice.ts'

/** A point's manifest: on its way, here, or not to be had. */
export type ManifestState =
  | { readonly is: 'loading' }
  | { readonly is: 'here'; readonly manifest: Manifest }
  | { readonly is: 'failed'; readonly failure: Failure }

/** Something asked of a point: still under way, or refused. */
export interface PointErrand {
  readonly point: string
  readonly what: 'verify' | 'copy' | 'delete' | 'pin' | 'note'
  readonly place: string | undefined
  readonly isBusy: boolean
  readonly failure: Failure | undefined
}

export type PointDialog =
  | { readonly kind: 'delete'; readonly point: string; readonly place: string }
  | { readonly kind: 'copy'; readonly point: string }

export interface VmSlice {
  /** Opens a point over the page of its VM. */
  readonly showPoint: (point: string) => void
  /** The same as going back, where one came from that page. */
  readonly closePoint: () => void
  readonly manifests: ReadonlyMap<string, ManifestState>
  readonly loadManifest: (point: string) => void
  /** The last one. */
  readonly pointErrand: PointErrand | undefined
  readonly pointDialog: PointDialog | undefined
  /** The last deletion that was done, to be said once. */
  readonly deleted: { readonly place: string; readonly freedBytes: number } | undefined
  readonly openPointDialog: (dialog: PointDialog) => void
  readonly closePointDialog: () => void
  readonly verifyPoint: (point: string, place: string) => void
  readonly copyPoint: (point: string, to: string) => void
  readonly deletePoint: (point: string, place: string) => void
  readonly pinPoint: (point: string, pinned: boolean) => void
  readonly notePoint: (point: string, note: string) => void
}

/** Errands to points. */
export const vmSlice =
  (core: Bridge): StateCreator<VmSlice & RouteSlice, [], [], VmSlice> =>
  (set, get) => {
    const manifestIs = (point: string, state: ManifestState): void =>
      set({ manifests: new Map([...get().manifests, [point, state]]) })
    const load = async (point: string): Promise<void> => {
      const before = get().manifests.get(point)?.is
      if (before === 'here' || before === 'loading') return
      manifestIs(point, { is: 'loading' })
      const answer = await ask(() => core.points.show(point))
      manifestIs(point, answer.ok ? { is: 'here', manifest: answer.value } : { is: 'failed', failure: answer.failure })
    }
    let begun = 0
    /** One at a time; what was answered after another was begun changes nothing here. */
    const run = async <T>(
      errand: Pick<PointErrand, 'point' | 'what' | 'place'>,
      question: () => Promise<Result<T>>,
      then: (value: T) => void
    ): Promise<void> => {
      if (get().pointErrand?.isBusy === true) return
      const mine = ++begun
      set({ pointErrand: { ...errand, isBusy: true, failure: undefined }, deleted: undefined })
      const answer = await ask(question)
      if (mine !== begun) return
      set({ pointErrand: answer.ok ? undefined : { ...errand, isBusy: false, failure: answer.failure } })
      if (answer.ok) then(answer.value)
    }
    const closeDialog = (): void => set({ pointDialog: undefined })
    const toJob = ({ id }: { readonly id: string }): void => {
      closeDialog()
      get().go({ screen: 'job', job: id })
    }
    const closePoint = (): void => {
      const { route, trail, go, goBack } = get()
      if (route.screen !== 'vm') return
      const before = trail.at(-1)
      const cameFromHere = before?.screen === 'vm' && before.vm === route.vm && before.point === undefined
      if (cameFromHere) goBack()
      else go({ screen: 'vm', host: route.host, vm: route.vm })
    }
    return {
      showPoint: (point) => {
        const { route, go } = get()
        if (route.screen === 'vm') go({ ...route, point })
      },
      closePoint,
      manifests: new Map(),
      loadManifest: (point) => void load(point),
      pointErrand: undefined,
      pointDialog: undefined,
      deleted: undefined,
      openPointDialog: (pointDialog) => {
        const isBusy = get().pointErrand?.isBusy === true
        set({ pointDialog, ...(!isBusy && { pointErrand: undefined }) })
      },
      closePointDialog: closeDialog,
      verifyPoint: (point, place) =>
        void run({ point, what: 'verify', place }, () => core.points.verify({ point, place }), toJob),
      copyPoint: (point, to) =>
        void run({ point, what: 'copy', place: to }, () => core.points.copy({ point, to }), toJob),
      deletePoint: (point, place) =>
        void run(
          { point, what: 'delete', place },
          () => core.points.delete({ point, place }),
          ({ freedBytes }) => {
            closeDialog()
            set({ deleted: { place, freedBytes } })
          }
        ),
      pinPoint: (point, pinned) =>
        void run({ point, what: 'pin', place: undefined }, () => core.points.mark({ point, pinned }), nothing),
      notePoint: (point, note) =>
        void run({ point, what: 'note', place: undefined }, () => core.points.mark({ point, note }), nothing)
    }
  }

const nothing = (): void => undefined
