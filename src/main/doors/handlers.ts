import type { AppInfo, Handlers } from '../../shared/contract.ts'
import type { Stop } from '../../shared/contract-shape.ts'
import { estimateBackup } from '../../shared/backup-estimate.ts'
import { fail } from '../../shared/failure.ts'
import type { GoTo } from '../../shared/views/notice-view.ts'
import { diagnostics } from '../core/diagnostics.ts'
import { examineHost } from '../core/hosts/examine-host.ts'
import { acceptKey, addFromWindow, probeFromWindow } from '../core/hosts/window-hosts.ts'
import { decideAutostart } from '../core/hosts/vm-autostart.ts'
import { removeHost } from '../core/hosts/hosts.ts'
import { sshEntries } from '../core/hosts/ssh-entries.ts'
import { logLines } from '../core/jobs/log-lines.ts'
import { readJournal } from '../core/jobs/read-journal.ts'
import { backUp, copy, mark, remove, requirePoint, restore, retry, verify } from '../core/live/errands.ts'
import type { LiveCore } from '../core/live/live-core.ts'
import {
  changeChannels,
  pausePolicy,
  prunePlan,
  putPolicy,
  removePolicy,
  runPolicy,
  setParallel,
  testChannel
} from '../core/policies/policy-errands.ts'
import { preflight } from '../core/points/points.ts'
import { orderFor } from '../core/points/restore-order.ts'
import { forgetKnownKey, knownKeys } from '../core/ssh/known-keys.ts'

/** What only the door knows. */
export interface DoorSide {
  readonly info: () => AppInfo | Promise<AppInfo>
  readonly openLink: (key: 'libvirtManual' | 'qemuManual') => Promise<void>
  readonly goTo: { listen(listener: (to: GoTo | undefined) => void): Stop }
}

/** The contract over the core: each call one errand, each push one live value. */
export function handlersOver(live: LiveCore, door: DoorSide): Handlers {
  return {
    app: {
      info: async () => door.info(),
      openLink: (key) => door.openLink(key),
      goTo: (listener) => door.goTo.listen(listener)
    },
    questions: {
      changed: (listener) => live.questions.open.listen(listener),
      answer: ({ id, text }) => at(() => live.questions.answer(id, text))
    },
    hosts: hostHandlers(live),
    points: pointHandlers(live),
    jobs: jobHandlers(live),
    policies: policyHandlers(live),
    notices: {
      changed: (listener) => live.notices.all.listen(listener),
      acknowledge: ({ id }) => at(() => live.notices.acknowledge(id))
    },
    settings: settingsHandlers(live, door)
  }
}

/** What is done at once, as the answer that a handler owes; also where it throws. */
const at = (errand: () => void): Promise<void> => Promise.resolve().then(errand)

const nothing = (): void => undefined

function hostHandlers(live: LiveCore): Handlers['hosts'] {
  return {
    changed: (listener) => live.hosts.all.listen(listener),
    sshEntries,
    probe: (login) => probeFromWindow(live.core, login),
    add: async (login) => {
      const added = await addFromWindow(live.core, login)
      live.readSettings()
      live.hosts.refresh(login.name)
      return added
    },
    acceptKey: async ({ name, fingerprint }) => {
      const added = await acceptKey(live.core, name, fingerprint)
      live.readSettings()
      live.hosts.refresh(name)
      return added
    },
    remove: async ({ name, clean }) => {
      const removed = await removeHost(live.core, name, clean)
      live.readSettings()
      return removed
    },
    refresh: ({ name }) => at(() => live.hosts.refresh(name)),
    doctor: ({ name, repair }) => examineHost(live.core, name, repair),
    autostart: async ({ name, vm, on }) => {
      await decideAutostart(live.core, name, vm, on)
      live.hosts.refresh(name)
    }
  }
}

function pointHandlers(live: LiveCore): Handlers['points'] {
  return {
    changed: (listener) => live.points.all.listen(listener),
    show: async (id) => (await requirePoint(live, id)).manifest,
    verify: ({ point, place }) => verify(live, point, place),
    copy: ({ point, to }) => copy(live, point, to),
    delete: ({ point, place }) => remove(live, point, place),
    mark: ({ point, ...change }) => mark(live, point, change)
  }
}

function jobHandlers(live: LiveCore): Handlers['jobs'] {
  return {
    changed: (listener) => live.jobs.all.listen(listener),
    live: (listener) => live.jobs.live.listen(listener),
    log: async (id) => {
      const job = live.jobs.find(id) ?? fail({ kind: 'not-found', what: 'job', name: id })
      return job.kind === 'verify' || job.kind === 'copy' || live.jobs.isOurs(id)
        ? []
        : logLines(await readJournal(live.core, job.host, live.jobs.idOnHost(id)))
    },
    estimate: (question) => {
      const host = live.hosts.view(question.host) ?? fail({ kind: 'not-found', what: 'host', name: question.host })
      const vm =
        host.vms.find(({ uuid }) => uuid === question.vm) ??
        fail({ kind: 'not-found', what: 'vm', name: question.vm, where: host.name })
      return Promise.resolve(estimateBackup(question, { host, vm, jobs: live.jobs.all.value ?? [] }))
    },
    backup: (question) => backUp(live, question),
    preflight: async (question) => preflight(live.core, orderFor(await requirePoint(live, question.point), question)),
    restore: (question) => restore(live, question),
    cancel: (id) => live.jobs.cancel(id),
    retry: (id) => retry(live, id)
  }
}

function policyHandlers(live: LiveCore): Handlers['policies'] {
  const { core, policies } = live
  const changing = async <T>(host: string, errand: Promise<T>): Promise<T> => {
    const result = await errand
    await live.policiesChanged(host)
    return result
  }
  return {
    changed: (listener) => policies.all.listen(listener),
    runs: (listener) => policies.runs.listen(listener),
    put: async (asked) => ({ id: (await changing(asked.host, putPolicy(core, asked))).id }),
    remove: (one) => changing(one.host, removePolicy(core, one)).then(nothing),
    run: (one) => changing(one.host, runPolicy(core, one)),
    pause: (asked) => changing(asked.host, pausePolicy(core, asked)).then(nothing),
    prunePlan: (one) => prunePlan(core, one),
    parallel: (asked) => changing(asked.host, setParallel(core, asked)),
    channels: (asked) => changing(asked.host, changeChannels(core, asked)),
    test: (asked) => testChannel(core, asked)
  }
}

function settingsHandlers(live: LiveCore, door: DoorSide): Handlers['settings'] {
  const { folder } = live.core
  return {
    changed: (listener) => live.choices.listen(listener),
    change: (change) => at(() => live.change(change)),
    knownKeys: () => knownKeys(folder),
    forgetKey: ({ line, fingerprint }) => forgetKnownKey(folder, line, fingerprint),
    diagnostics: async () => diagnostics(live, (await door.info()).version)
  }
}
