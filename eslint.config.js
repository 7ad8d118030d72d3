import { dirname, join, sep } from 'node:path'
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

const src = join(import.meta.dirname, 'src')
const ringOf = (path) => Object.keys(rings).find((ring) => path.startsWith(join(src, ring) + sep))

/** The walls: an import of ours must stay in its ring or go to one that is allowed, and electron only to the desktop. */
const walls = {
  create(context) {
    const ring = ringOf(context.filename)
    const check = (node) => {
      const name = node.source?.value
      if (ring === undefined || typeof name !== 'string') return
      if (/^electron(\/|$)/.test(name) && !['main/desktop', 'preload'].includes(ring))
        context.report({ node, message: 'only main/desktop and preload import electron' })
      if (!name.startsWith('.')) return
      const target = ringOf(join(dirname(context.filename), name))
      if (target !== ring && (target === undefined || !rings[ring].includes(target)))
        context.report({ node, message: `${ring} must not import ${target ?? 'from outside its ring'}` })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check
    }
  }
}

/** Parts of the engine whose files are its own notes: no guest's data is among them. */
const ownNotes = ['jobs', 'journal', 'policy', 'tell'].map((name) => join(src, 'engine', name) + sep)
const removers = ['evidence/removal.ts', 'doctor/remove-all.ts'].map((path) => join(src, 'engine', path))
const removing = /^(rm|rmdir|unlink|rename|truncate)(Sync)?$/

/** What may hold a guest's only copy is removed or renamed in one place, which asks for the proof (decision 16). */
const evidence = {
  create(context) {
    const path = context.filename
    if (!path.startsWith(join(src, 'engine') + sep)) return {}
    if (removers.includes(path) || ownNotes.some((folder) => path.startsWith(folder))) return {}
    return {
      ImportDeclaration(node) {
        if (!/^node:fs(\/promises)?$/.test(node.source.value)) return
        for (const specifier of node.specifiers)
          if (specifier.type !== 'ImportSpecifier' || removing.test(specifier.imported.name))
            context.report({ node: specifier, message: 'remove and rename by engine/evidence/removal.ts' })
      }
    }
  }
}

/** What writes to the terminal, which escapes it; and the text that commander and readline print. */
const terminalWriters = ['output', 'terminal', 'program', 'run-program'].map((name) =>
  join(src, `main/doors/cli/${name}.ts`)
)
const asMarkup = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'createContextualFragment', 'dangerouslySetInnerHTML']

/** Text of a host is printed through one output, and never becomes markup: no name of a VM is a command. */
const shown = {
  create(context) {
    const path = context.filename
    const writes = path.startsWith(join(src, 'main') + sep) && !terminalWriters.includes(path)
    const markup = (node, name) => {
      if (asMarkup.includes(name)) context.report({ node, message: 'text is shown as text, never as markup' })
    }
    return {
      MemberExpression(node) {
        const { object, property } = node
        markup(node, property.name)
        if (!writes) return
        const isStream = object.name === 'process' && ['stdout', 'stderr'].includes(property.name)
        if (isStream || object.name === 'console')
          context.report({ node, message: 'print by Output (main/doors/cli/output.ts), which escapes it' })
      },
      JSXAttribute(node) {
        markup(node, node.name.name)
      }
    }
  }
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
      // `const { gone: _, ...rest }` is how a key is left out.
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      // There are none, nor may there be (erasableSyntaxOnly): looking for them took a fifteenth of the time.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // Classes have private fields, which the compiler asks for: it took a seventh of the time.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'no default exports' }]
    }
  },
  { files: ['src/renderer/**/*.{ts,tsx}'], ...reactHooks.configs.flat.recommended },
  { files: ['*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.mjs', 'eslint.config.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } }
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { stillpoint: { rules: { walls, evidence, shown } } },
    rules: { 'stillpoint/walls': 'error', 'stillpoint/evidence': 'error', 'stillpoint/shown': 'error' }
  }
)
