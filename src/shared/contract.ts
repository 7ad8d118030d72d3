import * as z from 'zod'
import { call, push, type BridgeOf, type HandlersOf, type Push } from './contract-shape.ts'
import { Leftover } from './engine-protocol.ts'
import { ChannelsView } from './model/channels.ts'
import { JobId, Uuid } from './model/ids.ts'
import { Manifest } from './model/point.ts'
import { hostInstead, HostLogin, HostView, ProbeView, SshEntry } from './views/host-view.ts'
import {
  BackupQuestion,
  Estimate,
  JobLive,
  JobView,
  LogLine,
  PreflightView,
  RestoreQuestion
} from './views/job-view.ts'
import { GoTo, NoticeView, Question } from './views/notice-view.ts'
import { PolicyId, PrunePlan, RunId, RunReport } from './model/policy.ts'
import { PointName } from './point-name.ts'
import { PointsView } from './views/point-view.ts'
import { PoliciesView, PolicyQuestions } from './views/policy-view.ts'
import { Choices, ChoicesChange, KnownKey } from './views/settings-view.ts'

const Name = z.string().max(300)
const Label = z.string().max(4500)
const Started = z.object({ id: JobId })
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly()
/** Of a list: one entry that does not fit hides no other. */
const pushEach = <E extends z.ZodType>(
  of: E,
  instead: (unfit: z.output<E>) => z.input<E>
): Push<z.ZodReadonly<z.ZodArray<E>>> => ({
  kind: 'push',
  value: z.array(of).readonly(),
  instead: (unfit) => instead(unfit as z.output<E>)
})

/** What the window is in, and what goes here. */
export const AppInfo = z.object({
  version: z.string(),
  door: z.enum(['desktop', 'browser']),
  platform: z.string(),
  /** The settings folder. */
  home: z.string(),
  canStartAtLogin: z.boolean(),
  hasTray: z.boolean(),
  /** This machine can make the demo lab, by this command. */
  demoCommand: z.string().optional()
})
export type AppInfo = z.infer<typeof AppInfo>

export const ExternalLinkKey = z.enum(['libvirtManual', 'qemuManual'])

/**
 * Everything that crosses between a window and the core. Handlers, bridge and test doubles derive from this value.
 * Whoever listens to a push hears the whole as it is at once, and again whenever it has changed.
 */
export const contract = {
  app: {
    info: call(z.void(), AppInfo),
    openLink: call(ExternalLinkKey, z.void()),
    /** The desktop wants the window to show something: a notification was clicked. Undefined: nothing, or no longer. */
    goTo: push(GoTo.optional())
  },
  questions: {
    changed: push(list(Question)),
    /** Without an answer the person declined. */
    answer: call(z.strictObject({ id: z.string().max(100), text: z.string().max(4096).optional() }), z.void())
  },
  hosts: {
    changed: pushEach(HostView, hostInstead),
    sshEntries: call(z.void(), list(SshEntry)),
    /** Connects and looks; changes nothing. Fails with `host-key-unknown` until a fingerprint is given. */
    probe: call(HostLogin, ProbeView),
    /** Puts the engine there and remembers the host; also one of that name and address that was rebuilt. */
    add: call(HostLogin, z.object({ rebuilt: z.boolean() })),
    /** The person has compared the key that this known host shows now. The old one is forgotten. */
    acceptKey: call(
      z.strictObject({ name: Name, fingerprint: z.string().max(200) }),
      z.object({ rebuilt: z.boolean() })
    ),
    /** With `clean` the engine is taken off first; points stay. Returns what was taken away. */
    remove: call(z.strictObject({ name: Name, clean: z.boolean() }), list(z.string())),
    /** Looks again now, at one host or all. Returns at once; the answer is a push. */
    refresh: call(z.strictObject({ name: Name.optional() }), z.void()),
    doctor: call(z.strictObject({ name: Name, repair: z.boolean() }), list(Leftover)),
    /** What a restore has left open: the VM starts with its host from now on, or does not. */
    autostart: call(z.strictObject({ name: Name, vm: Uuid, on: z.boolean() }), z.void())
  },
  points: {
    changed: push(PointsView),
    show: call(PointName, Manifest),
    /** Starts a job of kind `verify`. */
    verify: call(z.strictObject({ point: PointName, place: Label }), Started),
    /** Starts a job of kind `copy`; `to` is a host's name, `host:/dir`, or a directory of this computer. */
    copy: call(z.strictObject({ point: PointName, to: Label }), Started),
    delete: call(z.strictObject({ point: PointName, place: Label }), z.object({ freedBytes: z.number() })),
    /** In every place that has the point and answers. An empty note is none. */
    mark: call(
      z.strictObject({ point: PointName, pinned: z.boolean().optional(), note: z.string().max(2000).optional() }),
      z.void()
    )
  },
  jobs: {
    /** Newest first: all that run, and the last thousand that ended. */
    changed: push(list(JobView)),
    /** Those that run. */
    live: push(list(JobLive)),
    log: call(JobId, list(LogLine)),
    estimate: call(BackupQuestion, Estimate),
    backup: call(BackupQuestion, Started),
    preflight: call(RestoreQuestion, PreflightView),
    restore: call(RestoreQuestion, Started),
    /** Resolves when the host has confirmed it. */
    cancel: call(JobId, z.void()),
    retry: call(JobId, Started)
  },
  policies: {
    changed: push(PoliciesView),
    /** Newest first, the last thousand of all hosts. */
    runs: push(list(RunReport)),
    put: call(PolicyQuestions.put, z.object({ id: PolicyId })),
    /** Its points stay. */
    remove: call(PolicyQuestions.one, z.void()),
    run: call(PolicyQuestions.one, z.object({ run: RunId })),
    pause: call(PolicyQuestions.pause, z.void()),
    /** What its rules would do now, as the host itself says. */
    prunePlan: call(PolicyQuestions.one, PrunePlan),
    parallel: call(PolicyQuestions.parallel, z.void()),
    channels: call(PolicyQuestions.channels, ChannelsView),
    /** Sends a test message from the host. */
    test: call(PolicyQuestions.test, z.object({ text: z.string() }))
  },
  notices: {
    /** Newest first. */
    changed: push(list(NoticeView)),
    /** Undefined: all of them. */
    acknowledge: call(z.strictObject({ id: z.string().max(1000).optional() }), z.void())
  },
  settings: {
    changed: push(Choices),
    change: call(ChoicesChange, z.void()),
    knownKeys: call(z.void(), list(KnownKey)),
    forgetKey: call(z.strictObject({ line: z.number().int(), fingerprint: z.string().max(200) }), z.void()),
    /** What a maintainer needs, without secrets. */
    diagnostics: call(z.void(), z.object({ fileName: z.string(), text: z.string() }))
  }
} as const

export type Handlers = HandlersOf<typeof contract>
export type Bridge = BridgeOf<typeof contract>
