import { Stack, Text } from '@mantine/core'
import type { FailureOf } from '../../../shared/failure.ts'
import { openSshForgets } from '../../../shared/failure-words.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { CommandLine } from '../../ui/command-line.tsx'
import type { KeyFailure } from './add-host.ts'
import { FactsList } from './facts-list.tsx'
import classes from './hosts.module.css'
import { words } from './words.ts'

const said = words.key
/** Also prints the other types, of which the host shows one. */
const COMPARE = 'for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$key"; done'
const COMPARE_ED25519 = 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'

/** Everything a person needs to judge a host's key: what it means, the fingerprint, and how to compare it. */
export function KeyFacts({ failure }: { readonly failure: KeyFailure }) {
  const forget = failure.kind === 'host-key-changed' ? openSshForgets(failure) : undefined
  return (
    <Stack gap="md">
      {failure.kind === 'host-key-unknown' ? <UnknownKey failure={failure} /> : <ChangedKey failure={failure} />}
      <div className={classes['fingerprint']}>
        <Text c="dimmed">{said.shown}</Text>
        <code>{safeText(failure.fingerprint)}</code>
        <FactsList
          facts={[
            [said.keyType, safeText(failure.keyType)],
            [said.at, safeText(failure.address)]
          ]}
        />
      </div>
      <Stack gap="sm">
        <Text>{said.compare}:</Text>
        <CommandLine command={failure.keyType === 'ssh-ed25519' ? COMPARE_ED25519 : COMPARE} />
      </Stack>
      {forget !== undefined && (
        <Stack gap="sm">
          <Text>{said.forgetFirst}</Text>
          <CommandLine command={forget} />
        </Stack>
      )}
    </Stack>
  )
}

const UnknownKey = ({ failure: { damagedIn } }: { readonly failure: FailureOf<'host-key-unknown'> }) => (
  <Stack gap="sm">
    <Text>{said.unknownText}</Text>
    {damagedIn !== undefined && <Text>{said.maybeKnownText(safeText(damagedIn))}</Text>}
  </Stack>
)

function ChangedKey({ failure }: { readonly failure: Extract<KeyFailure, { kind: 'host-key-changed' }> }) {
  return (
    <Stack gap="sm">
      <Text>
        {said.nothingSent} {said.changedText}
      </Text>
      <ul className={classes['reasons']}>
        <li>{said.changedRebuilt}</li>
        <li>{said.changedAttack}</li>
      </ul>
      <FactsList facts={[[said.expectedIn, safeText(failure.knownIn)]]} />
    </Stack>
  )
}
