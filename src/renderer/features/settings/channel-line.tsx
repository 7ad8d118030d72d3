import { Button, Text } from '@mantine/core'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import { Ago } from '../../ui/ago.tsx'
import { words } from './channel-words.ts'
import { channelKey, type ChannelOf } from './channels-slice.ts'
import classes from './channels.module.css'

interface ChannelLineProps {
  readonly of: ChannelOf
  readonly said: HostPolicies
  /** What it is; empty where there is none. */
  readonly lines: readonly string[]
  readonly onRemove: (of: ChannelOf) => void
}

/** Mail or webhook of one host, what can be done with it, and how that went. */
export function ChannelLine({ of, said, lines, onRemove }: ChannelLineProps) {
  const save = useWindow((state) => state.channelSaves.get(channelKey(of)))
  return (
    <div className={classes['line']}>
      <span className={classes['channel']}>{words[of.channel]}</span>
      <div className={classes['lineText']}>
        {lines.length === 0 && <Text c="dimmed">{words.none}</Text>}
        {lines.map((line, n) => (
          <Text key={line} component="div" size={n === 0 ? 'md' : 'sm'} {...(n > 0 && { c: 'dimmed' })}>
            <bdi>{line}</bdi>
          </Text>
        ))}
        {save?.state === 'saved' && <StateMark tone="good" label={words.dialog.saved} />}
      </div>
      <div className={classes['lineActions']}>
        <Actions of={of} isSet={lines.length > 0} isReachable={said.reachable} onRemove={onRemove} />
      </div>
      <TestAnswer of={of} />
    </div>
  )
}

interface ActionsProps {
  readonly of: ChannelOf
  readonly isSet: boolean
  readonly isReachable: boolean
  readonly onRemove: (of: ChannelOf) => void
}

function Actions({ of, isSet, isReachable, onRemove }: ActionsProps) {
  const open = useWindow((state) => state.openChannelForm)
  const test = useWindow((state) => state.testChannel)
  const isAsking = useWindow((state) => state.channelTests.get(channelKey(of))?.state === 'asking')
  const [channel, host] = [words.channel[of.channel], safeText(of.host)]
  const plain = { variant: 'default', size: 'xs', disabled: !isReachable } as const
  const edit = (): void => open(of.channel, of.host)
  if (!isSet)
    return (
      <Button {...plain} aria-label={words.setUpOf(channel, host)} onClick={edit}>
        {words.setUp}
      </Button>
    )
  return (
    <>
      <Button {...plain} aria-label={words.testOf(channel, host)} loading={isAsking} onClick={() => void test(of)}>
        {words.test}
      </Button>
      <Button {...plain} aria-label={words.changeOf(channel, host)} onClick={edit}>
        {words.change}
      </Button>
      <Button {...plain} variant="subtle" aria-label={words.removeOf(channel, host)} onClick={() => onRemove(of)}>
        {words.remove}
      </Button>
    </>
  )
}

/** What the other side said to the test. */
function TestAnswer({ of }: { readonly of: ChannelOf }) {
  const test = useWindow((state) => state.channelTests.get(channelKey(of)))
  const again = useWindow((state) => state.testChannel)
  return (
    <div className={classes['answer']} role="status">
      {test?.state === 'sent' && (
        <Text component="div" size="sm">
          <StateMark tone="good" label={words.sent} /> <Ago at={test.at} /> · <bdi>{safeText(test.text)}</bdi>
        </Text>
      )}
      {test?.state === 'failed' && (
        <FailureNotice failure={failureShown(test.failure)} onRetry={() => void again(of)} />
      )}
    </div>
  )
}
