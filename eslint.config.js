import js from '@eslint/js'
import tseslint from 'typescript-eslint'
import reactHooks from 'eslint-plugin-react-hooks'

/** Folders of src each ring may import from (itself always); the walls of docs/architecture.md. */
const rings = {
  shared: [],
  shell: ['shared'],
  store: ['shared', 'shell'],
  libvirt: ['shared'],
  engine: ['shared', 'shell', 'store', 'libvirt'],
  'main/core': ['shared', 'shell', 'store', 'libvirt'],
  'main/desktop': ['shared', 'main/core'],
  'main/doors': ['shared', 'main/core'],
  preload: ['shared'],
  renderer: ['shared']
}

/** A wall: everything of ours outside `allowed` is forbidden, and so is electron except for the desktop. */
function wall(ring) {
  const forbidden = Object.keys(rings).filter((other) => other !== ring && !rings[ring].includes(other))
  const patterns = forbidden.map((other) => ({ group: [`**/${other}/**`], message: `${ring} must not import ${other}` }))
  if (!['main/desktop', 'preload'].includes(ring))
    patterns.push({ group: ['electron', 'electron/*'], message: 'only main/desktop and preload import electron' })
  return { files: [`src/${ring}/**/*.{ts,tsx}`], rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

export default tseslint.config(
  { ignores: ['out/**', 'node_modules/**', 'test/fixtures/**'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'no default exports' }]
    }
  },
  { files: ['src/renderer/**/*.{ts,tsx}'], ...reactHooks.configs.flat.recommended },
  { files: ['*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.mjs', 'eslint.config.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } }
  },
  ...Object.keys(rings).map(wall)
)
