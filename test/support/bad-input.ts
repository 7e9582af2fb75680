/** One spec that must change nothing in any cluster. */
export interface BadInput {
  readonly name: string;
  /** YAML of `spec` of an otherwise valid MeshOperator. */
  readonly spec: string;
  /**
   * Who refuses it first. `schema`: the API server, with `apiServerSays` in its answer. `validate`: the API
   * server takes it; the operator says so in status, and the CLI before that.
   */
  readonly refusedAt: 'schema' | 'validate';
  readonly apiServerSays?: string;
  /** Every line that validation prints, in its order. It refuses what the API server refuses, too. */
  readonly problems: readonly string[];
}

/** One document that is no MeshOperator at all, or one without its place; only the CLI ever sees it. */
export interface BadDocument {
  readonly name: string;
  /** YAML of the whole document. */
  readonly document: string;
  readonly problems: readonly string[];
}

export const badInputs: readonly BadInput[] = [
  {
    name: 'options of istiod that keep it from reading the tokens for other clusters',
    spec: `
multiCluster: { meshID: shop, clusterName: east }
components: { pilot: { k8s: { env: [{ name: PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS, value: exec }] } } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.env[0].value: must have tokenFile among its options, or be left out: kubeconfigs of other clusters name files of tokens (did you mean "exec,tokenFile"?)',
    ],
  },
  {
    name: 'unknown key of the spec',
    spec: 'profil: demo',
    refusedAt: 'validate',
    problems: ['spec.profil: is not a field (did you mean "profile"?)'],
  },
  {
    name: 'mistyped component',
    spec: 'components: { ingresGateways: [] }',
    refusedAt: 'validate',
    problems: ['spec.components.ingresGateways: is not a field (did you mean "ingressGateways"?)'],
  },
  {
    name: 'mistyped key deep inside affinity',
    spec: `
components:
  pilot:
    k8s:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpression: []
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpression: is not a field (did you mean "matchExpressions"?)',
    ],
  },
  {
    name: 'value without effect here',
    spec: 'values: { global: { istioNamespace: istio-system } }',
    refusedAt: 'validate',
    problems: [
      'spec.values.global.istioNamespace: is not a field: the control plane lives in the namespace of the MeshOperator, which is metadata.namespace',
    ],
  },
  {
    name: 'address of an istiod that is not remote',
    spec: 'values: { global: { remotePilotAddress: 10.1.2.3 } }',
    refusedAt: 'validate',
    problems: [
      'spec.values.global.remotePilotAddress: counts only with spec.profile remote, whose istiod is in another cluster',
    ],
  },
  {
    name: 'istiod in a mesh whose istiod is elsewhere',
    spec: '{ profile: remote, components: { pilot: { enabled: true } }, upgrade: { strategy: RevisionBased } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.enabled: must not be true with spec.profile remote, whose istiod is in another cluster',
      'spec.upgrade.strategy: must be InPlace with spec.profile remote, which has no control plane of its own',
    ],
  },
  {
    name: 'place of a cluster in a mesh without its names',
    spec: 'multiCluster: { network: n }',
    refusedAt: 'schema',
    problems: ['spec.multiCluster.clusterName: is required', 'spec.multiCluster.meshID: is required'],
    apiServerSays: 'spec.multiCluster.meshID: Required value',
  },
  {
    name: 'name of a cluster that is none',
    spec: 'multiCluster: { meshID: shop, clusterName: East_1 }',
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.clusterName: must be a DNS label: lower-case letters, digits and "-", starting and ending with a letter or digit, but is the text "East_1"',
    ],
    apiServerSays: 'spec.multiCluster.clusterName in body should match',
  },
  {
    name: 'other names of a cluster in Helm values',
    spec: `
multiCluster: { meshID: shop, clusterName: east, network: a }
values: { global: { meshID: bank, network: b, multiCluster: { clusterName: west } } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.values.global.meshID: must not differ from spec.multiCluster.meshID, which is "shop": remove it',
      'spec.values.global.multiCluster.clusterName: must not differ from spec.multiCluster.clusterName, which is "east": remove it',
      'spec.values.global.network: must not differ from spec.multiCluster.network, which is "a": remove it',
    ],
  },
  {
    name: 'network in Helm values alone',
    spec: '{ multiCluster: { meshID: shop, clusterName: east }, values: { global: { network: b } } }',
    refusedAt: 'validate',
    problems: [
      'spec.values.global.network: must not differ from spec.multiCluster.network, which is not given: remove it',
    ],
  },
  {
    name: 'ways into other clusters that lead nowhere',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes:
    - { clusterName: east, kubeconfig: { secretName: a } }
    - { clusterName: west }
    - clusterName: west
      kubeconfig: { secretName: a }
      token: { secretName: b, server: https://west.example.com }
      credential: { type: LongLived, lifetime: 24h }
    - { clusterName: north, kubeconfig: { secretName: a }, credential: { lifetime: 9m } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.remotes[0].clusterName: must be the name of another cluster than this one',
      'spec.multiCluster.remotes[1]: must have kubeconfig or token: the Secret that lets the operator into that cluster',
      'spec.multiCluster.remotes[2]: is a second cluster west beside spec.multiCluster.remotes[1]: keep one of them',
      'spec.multiCluster.remotes[2].credential.lifetime: must be left out with type LongLived, which has no end',
      'spec.multiCluster.remotes[2].token: must not be given beside kubeconfig: keep one of them',
      'spec.multiCluster.remotes[3].credential.lifetime: must be 10m or more: API servers give no token for less',
    ],
  },
  {
    name: 'address of an API server without TLS',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes: [{ clusterName: west, token: { secretName: w, server: http://west.example.com } }]
`,
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.remotes[0].token.server: must be the https address of an API server, for example https://west.example.com:6443, but is the text "http://west.example.com"',
    ],
    apiServerSays: 'spec.multiCluster.remotes[0].token.server in body should match',
  },
  {
    name: 'names of a mesh and a network that no label can have',
    spec: 'multiCluster: { meshID: my shop, clusterName: east, network: a/b }',
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.meshID: must be a label value: letters, digits, "-", "_" and ".", starting and ending with a letter or digit, but is the text "my shop"',
      'spec.multiCluster.network: must be a label value: letters, digits, "-", "_" and ".", starting and ending with a letter or digit, but is the text "a/b"',
    ],
    apiServerSays: 'spec.multiCluster.meshID in body should match',
  },
  {
    name: 'mesh of several clusters with an empty name',
    spec: 'multiCluster: { meshID: "", clusterName: east }',
    refusedAt: 'validate',
    problems: ['spec.multiCluster.meshID: must not be empty: it is the name of the mesh in all its clusters'],
  },
  {
    name: 'roles of clusters that there are not',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  role: primary
  remotes: [{ clusterName: west, role: Follower, kubeconfig: { secretName: w } }]
`,
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.remotes[0].role: must be one of Primary, Remote, but is the text "Follower"',
      'spec.multiCluster.role: must be one of Primary, Remote, but is the text "primary" (did you mean "Primary"?)',
    ],
    apiServerSays: 'Unsupported value: "Follower"',
  },
  {
    name: 'other clusters that are no list',
    spec: 'multiCluster: { meshID: shop, clusterName: east, remotes: west }',
    refusedAt: 'schema',
    problems: ['spec.multiCluster.remotes: must be a list, but is the text "west"'],
    apiServerSays: 'spec.multiCluster.remotes in body must be of type array',
  },
  {
    name: 'more clusters than a status can name',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes: [${Array.from({ length: 101 }, (_, index) => `{ clusterName: c${index}, kubeconfig: { secretName: w } }`).join(', ')}]
`,
    refusedAt: 'schema',
    problems: ['spec.multiCluster.remotes: must not have more than 100 clusters'],
    apiServerSays: 'Too many: 101: must have at most 100 items',
  },
  {
    name: 'names of another cluster and its Secrets that are none',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes:
    - { clusterName: West_1, kubeconfig: { secretName: My_Secret, key: a/b } }
    - { clusterName: north, token: { secretName: n!, server: "https://north.example.com:0" } }
`,
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.remotes[0].clusterName: must be a DNS label: lower-case letters, digits and "-", starting and ending with a letter or digit, but is the text "West_1"',
      'spec.multiCluster.remotes[0].kubeconfig.key: must be a key of a Secret: letters, digits, "-", "_" and ".", but is the text "a/b"',
      'spec.multiCluster.remotes[0].kubeconfig.secretName: must be the name of a Secret (a DNS name), but is the text "My_Secret"',
      'spec.multiCluster.remotes[1].token.secretName: must be the name of a Secret (a DNS name), but is the text "n!"',
      'spec.multiCluster.remotes[1].token.server: must be the https address of an API server, for example https://west.example.com:6443, but is the text "https://north.example.com:0"',
    ],
    apiServerSays: 'spec.multiCluster.remotes[0].kubeconfig.key in body should match',
  },
  {
    name: 'other clusters without what is needed of them',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes: [{ kubeconfig: {} }, { clusterName: north, token: {} }]
`,
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.remotes[0].clusterName: is required',
      'spec.multiCluster.remotes[0].kubeconfig.secretName: is required',
      'spec.multiCluster.remotes[1].token.secretName: is required',
      'spec.multiCluster.remotes[1].token.server: is required',
    ],
    apiServerSays: 'spec.multiCluster.remotes[1].token.server: Required value',
  },
  {
    name: 'address, name and proxy of an API server that are none',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes:
    - clusterName: west
      kubeconfig: { secretName: w }
      server: west.example.com
      tlsServerName: "*.example.com"
      proxyURL: ftp://proxy.example.com
`,
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.remotes[0].proxyURL: must be the address of a proxy: http, https or socks5, for example http://proxy.example.com:3128, but is the text "ftp://proxy.example.com"',
      'spec.multiCluster.remotes[0].server: must be the https address of an API server, for example https://west.example.com:6443, but is the text "west.example.com"',
      'spec.multiCluster.remotes[0].tlsServerName: must be a DNS name: lower-case letters, digits, "-" and ".", but is the text "*.example.com"',
    ],
    apiServerSays: 'spec.multiCluster.remotes[0].proxyURL in body should match',
  },
  {
    name: 'ports of API servers and a proxy that there are not',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes:
    - clusterName: west
      kubeconfig: { secretName: w }
      server: https://[fd00::1]:65536/west
      proxyURL: http://proxy.example.com:99999
    - { clusterName: north, token: { secretName: n, server: "https://north.example.com:70000" } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.remotes[0].proxyURL: must have a port from 1 to 65535',
      'spec.multiCluster.remotes[0].server: must have a port from 1 to 65535',
      'spec.multiCluster.remotes[1].token.server: must have a port from 1 to 65535',
    ],
  },
  {
    name: 'credentials for another cluster that there are not',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes:
    - { clusterName: west, kubeconfig: { secretName: w }, credential: { type: Forever, lifetime: 1d } }
`,
    refusedAt: 'schema',
    problems: [
      'spec.multiCluster.remotes[0].credential.lifetime: must be a duration with units, for example 30m or 1h30m, but is the text "1d"',
      'spec.multiCluster.remotes[0].credential.type: must be one of Bound, LongLived, but is the text "Forever"',
    ],
    apiServerSays: 'spec.multiCluster.remotes[0].credential.lifetime in body should match',
  },
  {
    name: 'fields of other clusters that there are not',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  clusterID: east
  remotes:
    - { clusterName: west, secretName: w, kubeconfig: { secretName: w, file: a }, credential: { lifeTime: 1h } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.clusterID: is not a field',
      'spec.multiCluster.remotes[0].credential.lifeTime: is not a field (did you mean "lifetime"?)',
      'spec.multiCluster.remotes[0].kubeconfig.file: is not a field',
      'spec.multiCluster.remotes[0].secretName: is not a field',
    ],
  },
  {
    name: 'roles of clusters that contradict the profile',
    spec: '{ profile: demo, multiCluster: { meshID: shop, clusterName: east, role: Remote } }',
    refusedAt: 'validate',
    problems: [
      'spec.profile: must be remote, or be left out, with spec.multiCluster.role Remote: istiod is in another cluster',
    ],
  },
  {
    name: 'primary without an istiod',
    spec: '{ profile: remote, multiCluster: { meshID: shop, clusterName: east, role: Primary } }',
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.role: must be Remote with spec.profile remote, whose istiod is in another cluster',
    ],
  },
  {
    name: 'follower of a cluster without a way to its istiod',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  remotes: [{ clusterName: west, role: Remote, kubeconfig: { secretName: w } }]
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.remotes[0].role: needs an east-west gateway in spec.components, by which that cluster reaches istiod',
    ],
  },
  {
    name: 'remote of remotes',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  role: Remote
  remotes:
    - { clusterName: west, role: Remote, kubeconfig: { secretName: w } }
    - { clusterName: north, kubeconfig: { secretName: n } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.remotes: must not have more than the cluster with the istiod: that one knows of the others',
      'spec.multiCluster.remotes[0].role: must not be Remote in a cluster that has no istiod itself',
    ],
  },
  {
    name: 'remote with an authority and roots of its own',
    spec: `
multiCluster: { meshID: shop, clusterName: west, role: Remote }
certificateAuthority: { provider: SelfSigned }
values: { global: { trustBundleName: ours } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.certificateAuthority: has no effect in a remote cluster: set it in the MeshOperator of the control plane',
      'spec.values.global.trustBundleName: has proxies look for their roots where nobody puts them: in a remote cluster they are in ConfigMap istio-ca-root-cert; remove it',
    ],
  },
  {
    name: 'own cluster of istiod that is none of the others',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  configCluster: north
  remotes: [{ clusterName: west, role: Remote, kubeconfig: { secretName: west } }]
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.configCluster: must be one of spec.multiCluster.remotes, but is north: say there how the operator gets in',
    ],
  },
  {
    name: 'own cluster of istiod that is this one',
    spec: 'multiCluster: { meshID: shop, clusterName: east, configCluster: east }',
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.configCluster: must be another cluster than this one, or be left out: istiod reads its own cluster then',
    ],
  },
  {
    name: 'own cluster of an istiod that is elsewhere',
    spec: 'multiCluster: { meshID: shop, clusterName: east, role: Remote, configCluster: west }',
    refusedAt: 'validate',
    problems: ['spec.multiCluster.configCluster: must be left out in a cluster without an istiod of its own'],
  },
  {
    name: 'own cluster of istiod with an istiod there, beside others',
    spec: `
multiCluster:
  meshID: shop
  clusterName: east
  configCluster: west
  remotes:
    - { clusterName: west, kubeconfig: { secretName: west } }
    - { clusterName: north, kubeconfig: { secretName: north } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster.remotes[0].role: must be Remote: it is the configCluster, and follows this istiod',
      'spec.multiCluster.remotes[1]: must not be given beside configCluster west, whose istiod is for that cluster alone: give it an istiod of its own',
    ],
  },
  {
    name: 'proxies and resources beside an istiod that is for another cluster',
    spec: `
profile: demo
revisionTags: [prod]
multiCluster:
  meshID: shop
  clusterName: east
  configCluster: west
  network: network-east
  remotes: [{ clusterName: west, role: Remote, kubeconfig: { secretName: west } }]
components:
  pilot: { enabled: false }
  cni: {}
  ingressGateways: [{ name: istio-ingressgateway }, { name: other, enabled: false }]
sidecarInjector: { enabled: true }
security: { mtls: { mode: STRICT } }
telemetry: { monitoring: {}, accessLogs: [{ provider: envoy }] }
certificateAuthority: { provider: Istiod }
upgrade: { strategy: RevisionBased }
values: { pilot: { env: { PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: "true" } } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.certificateAuthority.provider: must be SelfSigned, PluggedIn or CertManager with spec.multiCluster.configCluster: the operator brings its roots to that cluster',
      'spec.components.cni: must be left out with spec.multiCluster.configCluster: proxies are in cluster west alone, whose MeshOperator may have it',
      'spec.components.ingressGateways[0]: must be left out with spec.multiCluster.configCluster: proxies are in cluster west alone, whose MeshOperator may have it',
      'spec.components.pilot.enabled: must not be false with spec.multiCluster.configCluster, which is for an istiod that runs here',
      'spec.multiCluster.network: must be left out with spec.multiCluster.configCluster: proxies are in cluster west alone, whose MeshOperator may have it',
      'spec.profile: must be minimal, or be left out, with spec.multiCluster.configCluster: istiod runs here, and nothing else of the mesh',
      'spec.revisionTags: must be left out with spec.multiCluster.configCluster: proxies are in cluster west alone, whose MeshOperator may have it',
      'spec.security: must be left out with spec.multiCluster.configCluster: resources of Istio count in cluster west: apply them there',
      'spec.sidecarInjector: must be left out with spec.multiCluster.configCluster: proxies are in cluster west alone, whose MeshOperator may have it',
      'spec.telemetry.accessLogs: must be left out with spec.multiCluster.configCluster: resources of Istio count in cluster west: apply them there',
      'spec.upgrade.strategy: RevisionBased needs a control plane: enable spec.components.pilot, or set InPlace',
      'spec.upgrade.strategy: must be InPlace with spec.multiCluster.configCluster: which istiod a namespace follows is decided in cluster west',
      'spec.values.pilot.env.PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: must be left out with spec.multiCluster.configCluster: istiod has no right to deploy gateways in cluster west',
    ],
  },
  {
    name: 'tenant in several clusters',
    spec: `
revision: red
tenancy: { tenant: red, members: { selector: {} } }
multiCluster: { meshID: shop, clusterName: east }
`,
    refusedAt: 'validate',
    problems: [
      'spec.multiCluster: must not be given with spec.tenancy: the namespaces of a tenant are of one cluster',
    ],
  },
  {
    name: 'limits of an update that exclude each other',
    spec: 'components: { cni: { k8s: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.cni.k8s.strategy.rollingUpdate.maxSurge: must be 0 or left out together with maxUnavailable: a node has one pod more, or one less',
    ],
  },
  {
    name: 'limits of an update that pods are deleted for',
    spec: 'values: { cni: { updateStrategy: { type: OnDelete, rollingUpdate: { maxUnavailable: 1 } } } }',
    refusedAt: 'validate',
    problems: ['spec.values.cni.updateStrategy.rollingUpdate: must be left out with type OnDelete'],
  },
  {
    name: 'value of a chart that nothing reads',
    spec: 'values: { cni: { repair: { hub: registry.example.com }, excludedNamespaces: [kube-system] } }',
    refusedAt: 'validate',
    problems: [
      'spec.values.cni.excludedNamespaces: is not a field (did you mean "excludeNamespaces"?)',
      'spec.values.cni.repair.hub: is not a field: nothing in Istio reads it',
    ],
  },
  {
    name: 'setting of a Deployment on a DaemonSet',
    spec: 'components: { cni: { k8s: { replicaCount: 2 } } }',
    refusedAt: 'validate',
    problems: ['spec.components.cni.k8s.replicaCount: is not a field: the agent has one pod on each node'],
  },
  {
    name: 'label that a DaemonSet selects by',
    spec: 'values: { cni: { podLabels: { k8s-app: mine } } }',
    refusedAt: 'validate',
    problems: ['spec.values.cni.podLabels["k8s-app"]: must be left out: the operator sets it'],
  },
  {
    name: 'path that is none',
    spec: 'values: { cni: { cniBinDir: opt/cni/bin } }',
    refusedAt: 'schema',
    problems: [
      'spec.values.cni.cniBinDir: must be an absolute path on the node, for example /opt/cni/bin, but is the text "opt/cni/bin"',
    ],
    apiServerSays: 'spec.values.cni.cniBinDir in body should match',
  },
  {
    name: 'Kubernetes name for an IstioOperator field',
    spec: 'components: { pilot: { k8s: { replicas: 2 } } }',
    refusedAt: 'validate',
    problems: ['spec.components.pilot.k8s.replicas: is not a field (did you mean "replicaCount"?)'],
  },
  {
    name: 'autoscaler of something else',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { hpaSpec: { scaleTargetRef: { kind: Deployment, name: istio } } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].k8s.hpaSpec.scaleTargetRef.name: must be public, the Deployment of this component, or be left out (did you mean "public"?)',
    ],
  },
  {
    name: 'path of an overlay that cannot be read',
    spec: `
components:
  pilot:
    k8s:
      overlays:
        - kind: Deployment
          name: istiod
          patches:
            - path: 'spec.template.spec.containers.[name:discovery'
              value: 1
            - path: '.'
            - path: 'spec.template.spec.tolerations.[-2]'
            - path: 'spec.template.spec.containers.[0].args.[:(a+)+]'
              value: b
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.overlays[0].patches[0].path: must close the bracket of [name:discovery, and have a dot or nothing behind it',
      'spec.components.pilot.k8s.overlays[0].patches[1].path: must name a place, for example spec.template.spec.dnsPolicy',
      'spec.components.pilot.k8s.overlays[0].patches[2].path: has [-2]: an index is 0 or more, or -1 for behind the last',
      'spec.components.pilot.k8s.overlays[0].patches[3].path: has [:(a+)+], which has ( of regular expressions, of which only . .* .+ ^ $ are understood: write \\(, or an index',
    ],
  },
  {
    name: 'migration to mutual TLS that asks nobody',
    spec: 'security: { mtls: { mode: STRICT, migration: { onPlaintext: Wait } } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.security.mtls.migration.prometheus: Required value',
    problems: ['spec.security.mtls.migration.prometheus: is required'],
  },
  {
    name: 'migration to mutual TLS that looks back no further than a scrape',
    spec: 'security: { mtls: { mode: STRICT, migration: { prometheus: "http://prometheus", window: 1s } } }',
    refusedAt: 'validate',
    problems: [
      'spec.security.mtls.migration.window: must be at least 10s: Prometheus needs two scrapes in it to tell a rate',
    ],
  },
  {
    name: 'overlay without patches',
    spec: 'components: { base: { k8s: { overlays: [{ kind: ServiceAccount, name: x, patches: [] }] } } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.base.k8s.overlays[0].patches in body should have at least 1 items',
    problems: ['spec.components.base.k8s.overlays[0].patches: must have at least one patch'],
  },
  {
    name: 'volumes and mounts that contradict themselves',
    spec: `
components:
  pilot:
    k8s:
      volumes:
        - { name: a, emptyDir: {}, secret: { secretName: b } }
        - { name: a, emptyDir: {} }
        - { name: c }
      volumeMounts:
        - { name: a, mountPath: /a, subPath: b, subPathExpr: c }
        - { name: a, mountPath: /a }
        - { name: a, mountPath: 'c:d' }
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.volumeMounts[0]: must have only one of subPath, subPathExpr',
      'spec.components.pilot.k8s.volumeMounts[1].mountPath: /a is there twice',
      'spec.components.pilot.k8s.volumeMounts[2].mountPath: must not have a colon',
      'spec.components.pilot.k8s.volumes[0]: must have exactly one of configMap, csi, downwardAPI, emptyDir, ephemeral, hostPath, image, nfs, persistentVolumeClaim, projected, secret',
      'spec.components.pilot.k8s.volumes[1].name: a is there twice',
      'spec.components.pilot.k8s.volumes[2]: must have exactly one of configMap, csi, downwardAPI, emptyDir, ephemeral, hostPath, image, nfs, persistentVolumeClaim, projected, secret',
    ],
  },
  {
    name: 'readiness probe of two kinds',
    spec: 'components: { pilot: { k8s: { readinessProbe: { exec: { command: [a] }, grpc: { port: 1 } } } } }',
    refusedAt: 'validate',
    problems: ['spec.components.pilot.k8s.readinessProbe: must have only one of grpc, exec'],
  },
  {
    name: 'node port of an istiod that only the cluster reaches',
    spec: 'components: { pilot: { k8s: { service: { ports: [{ port: 15012, nodePort: 30012 }], loadBalancerIP: 10.0.0.1 } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.service.loadBalancerIP: is only for type LoadBalancer, but the type is ClusterIP',
      'spec.components.pilot.k8s.service.ports[0].nodePort: must be left out with type ClusterIP',
    ],
  },
  {
    name: 'mistyped MeshConfig field',
    spec: 'meshConfig: { acessLogFile: /dev/stdout }',
    refusedAt: 'validate',
    problems: ['spec.meshConfig.acessLogFile: is not a field (did you mean "accessLogFile"?)'],
  },
  {
    name: 'mistyped ProxyConfig field inside MeshConfig',
    spec: 'meshConfig: { defaultConfig: { concurency: 2 } }',
    refusedAt: 'validate',
    problems: ['spec.meshConfig.defaultConfig.concurency: is not a field (did you mean "concurrency"?)'],
  },
  {
    name: 'MeshConfig field in the spelling of its proto file',
    spec: 'meshConfig: { trust_domain: example.org }',
    refusedAt: 'validate',
    problems: ['spec.meshConfig.trust_domain: is not a field (did you mean "trustDomain"?)'],
  },
  {
    name: 'MeshConfig field of the wrong type',
    spec: 'meshConfig: { enableTracing: "yes" }',
    refusedAt: 'validate',
    problems: ['spec.meshConfig.enableTracing: must be true or false, but is the text "yes"'],
  },
  {
    name: 'MeshConfig enum value that does not exist',
    spec: 'meshConfig: { outboundTrafficPolicy: { mode: REGISTRY_ONY } }',
    refusedAt: 'validate',
    problems: [
      'spec.meshConfig.outboundTrafficPolicy.mode: must be one of REGISTRY_ONLY, ALLOW_ANY, ALLOW_ANY_DYNAMIC_DNS, but is the text "REGISTRY_ONY" (did you mean "REGISTRY_ONLY"?)',
    ],
  },
  {
    name: 'MeshConfig duration without a unit',
    spec: 'meshConfig: { connectTimeout: 10 }',
    refusedAt: 'validate',
    problems: [
      'spec.meshConfig.connectTimeout: must be a duration with units, for example 10s, but is the number 10',
    ],
  },
  {
    name: 'unquoted boolean in proxy metadata',
    spec: 'meshConfig: { defaultConfig: { proxyMetadata: { ISTIO_META_DNS_CAPTURE: true } } }',
    refusedAt: 'validate',
    problems: [
      'spec.meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE: must be text, but is true: put it in quotes',
    ],
  },
  {
    name: 'two tracers in one place',
    spec: 'meshConfig: { defaultConfig: { tracing: { zipkin: { address: "z:9411" }, datadog: { address: "d:8126" } } } }',
    refusedAt: 'validate',
    problems: ['spec.meshConfig.defaultConfig.tracing: must have only one of datadog, zipkin'],
  },
  {
    name: 'collectors by HTTP without a timeout',
    spec: `
meshConfig:
  extensionProviders:
    - { name: fast, opentelemetry: { service: otel.example.com, port: 4318, http: { path: /v1/traces, timeout: 1s } } }
    - name: traces
      opentelemetry:
        service: otel.example.com
        port: 4318
        http: { path: /v1/traces }
        dynatraceSampler: { tenant: abc, clusterId: 1, httpService: { service: api.example.com, port: 443, http: { path: /api } } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.meshConfig.extensionProviders[1].opentelemetry.dynatraceSampler.httpService.http.timeout: is required, though Istio documents a default: without it proxies refuse every listener; set it, for example to 3s',
      'spec.meshConfig.extensionProviders[1].opentelemetry.http.timeout: is required, though Istio documents a default: without it proxies refuse every listener; set it, for example to 3s',
    ],
  },
  {
    name: 'MeshConfig that is a list',
    spec: 'meshConfig: []',
    refusedAt: 'schema',
    apiServerSays: 'spec.meshConfig: Invalid value: "array"',
    problems: ['spec.meshConfig: must be an object, but is a list'],
  },
  {
    name: 'unquoted version',
    spec: 'version: 1.31',
    refusedAt: 'schema',
    apiServerSays: 'spec.version: Invalid value: "number"',
    problems: ['spec.version: must be text, but is the number 1.31: put it in quotes'],
  },
  {
    name: 'version that is no version',
    spec: 'version: latest',
    refusedAt: 'schema',
    apiServerSays: 'spec.version: Invalid value: "latest"',
    problems: [
      'spec.version: must be a version such as 1.31, 1.31.1 or 1.31-latest, but is the text "latest"',
    ],
  },
  {
    name: 'version past its end of life',
    spec: 'version: "1.24"',
    refusedAt: 'validate',
    problems: [
      'spec.version: 1.24 is not supported; supported are 1.31 (up to 1.31.1), 1.30 (up to 1.30.3), 1.29 (up to 1.29.6)',
    ],
  },
  {
    name: 'patch version that we do not know yet',
    spec: 'version: 1.31.99',
    refusedAt: 'validate',
    problems: [
      'spec.version: 1.31.99 is not supported; supported are 1.31 (up to 1.31.1), 1.30 (up to 1.30.3), 1.29 (up to 1.29.6) (did you mean "1.31.1"?)',
    ],
  },
  {
    name: 'tag of another minor than the version',
    spec: '{ version: "1.31", tag: 1.29.0 }',
    refusedAt: 'validate',
    problems: ['spec.tag: 1.29.0 is of minor 1.29, but the version is 1.31: set spec.version too'],
  },
  {
    name: 'tag with a character that no registry takes',
    spec: 'tag: "1.31.1 "',
    refusedAt: 'schema',
    apiServerSays: 'spec.tag: Invalid value: "1.31.1 "',
    problems: [
      'spec.tag: must be an image tag: letters, digits, "_", "." and "-", but is the text "1.31.1 "',
    ],
  },
  {
    name: 'hub with a scheme',
    spec: 'hub: https://registry.example.com/istio',
    refusedAt: 'schema',
    apiServerSays: 'spec.hub: Invalid value',
    problems: [
      'spec.hub: must be a registry with an optional path, for example registry.istio.io/release (no scheme, no tag), but is the text "https://registry.example.com/istio"',
    ],
  },
  {
    name: 'two hubs',
    spec: '{ hub: a.example.com/istio, values: { global: { hub: b.example.com/istio } } }',
    refusedAt: 'validate',
    problems: [
      'spec.values.global.hub: is b.example.com/istio, but spec.hub is a.example.com/istio: keep one of them',
    ],
  },
  {
    name: 'unknown profile',
    spec: 'profile: dmeo',
    refusedAt: 'schema',
    apiServerSays: 'spec.profile: Unsupported value: "dmeo"',
    problems: [
      'spec.profile: must be one of default, minimal, demo, ambient, openshift, preview, stable, remote, empty, but is the text "dmeo" (did you mean "demo"?)',
    ],
  },
  {
    name: 'revision that is no DNS label',
    spec: 'revision: Canary_1',
    refusedAt: 'schema',
    apiServerSays: 'spec.revision: Invalid value: "Canary_1"',
    problems: [
      'spec.revision: must be a DNS label of at most 56 characters: lower-case letters, digits and "-", for example 1-31-1, but is the text "Canary_1"',
    ],
  },
  {
    name: 'revision too long for the name of its Service',
    spec: `revision: ${'a'.repeat(57)}`,
    refusedAt: 'schema',
    apiServerSays: 'spec.revision: Too long',
    problems: ['spec.revision: must not be longer than 56 characters'],
  },
  {
    name: 'revision named like the default one',
    spec: 'revision: default',
    refusedAt: 'validate',
    problems: ['spec.revision: must not be "default": leave it out for the default control plane'],
  },
  {
    name: 'text for a number',
    spec: 'components: { pilot: { k8s: { replicaCount: "2" } } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.pilot.k8s.replicaCount: Invalid value: "string"',
    problems: [
      'spec.components.pilot.k8s.replicaCount: must be a number, but is the text "2": leave the quotes out',
    ],
  },
  {
    name: 'no replicas',
    spec: 'components: { pilot: { k8s: { replicaCount: 0 } } }',
    refusedAt: 'schema',
    apiServerSays: 'should be greater than or equal to 1',
    problems: ['spec.components.pilot.k8s.replicaCount: must be at least 1, but is the number 0'],
  },
  {
    name: 'null in a list',
    spec: 'components: { ingressGateways: [null] }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.ingressGateways[0]: Invalid value: "null"',
    problems: ['spec.components.ingressGateways[0]: must be an object, but is null'],
  },
  {
    name: 'null for something that is required',
    spec: 'components: { ingressGateways: [{ name: null }] }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.ingressGateways[0].name: Required value',
    problems: ['spec.components.ingressGateways[0].name: is required'],
  },
  {
    name: 'quantity with an unknown unit',
    spec: 'components: { pilot: { k8s: { resources: { requests: { cpu: 500mm } } } } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.pilot.k8s.resources.requests.cpu: Invalid value: "500mm"',
    problems: [
      'spec.components.pilot.k8s.resources.requests.cpu: must be a quantity, for example 500m, 2 or 1Gi, but is the text "500mm"',
    ],
  },
  {
    name: 'unquoted fraction as a quantity',
    spec: 'components: { pilot: { k8s: { resources: { requests: { cpu: 0.5 } } } } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.pilot.k8s.resources.requests.cpu: Invalid value: "number"',
    problems: [
      'spec.components.pilot.k8s.resources.requests.cpu: must be a quantity, for example 500m, 2 or 1Gi, but is the number 0.5: put it in quotes',
    ],
  },
  {
    name: 'resource that does not exist',
    spec: 'components: { pilot: { k8s: { resources: { requests: { mem: 1Gi } } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.resources.requests.mem: is not a resource: cpu, memory, ephemeral-storage, hugepages-<size>, or an extended one with a "/"',
    ],
  },
  {
    name: 'request above its limit',
    spec: 'components: { pilot: { k8s: { resources: { requests: { memory: 2Gi }, limits: { memory: 1024Mi } } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.resources.requests.memory: must not be more than the limit, but 2Gi is more than 1024Mi',
    ],
  },
  {
    name: 'duration without a unit in values',
    spec: 'values: { pilot: { keepaliveMaxServerConnectionAge: "30" } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.values.pilot.keepaliveMaxServerConnectionAge: Invalid value: "30"',
    problems: [
      'spec.values.pilot.keepaliveMaxServerConnectionAge: must be a duration with units, for example 30m or 1h30m, but is the text "30"',
    ],
  },
  {
    name: 'sampling above one hundred percent',
    spec: 'values: { pilot: { traceSampling: 101 } }',
    refusedAt: 'schema',
    apiServerSays: 'should be less than or equal to 100',
    problems: ['spec.values.pilot.traceSampling: must be at most 100, but is the number 101'],
  },
  {
    name: 'autoscaling with fewer at most than at least, in values',
    spec: 'values: { pilot: { autoscaleMin: 5, autoscaleMax: 2 } }',
    refusedAt: 'validate',
    problems: ['spec.values.pilot.autoscaleMin: must not be more than autoscaleMax, but 5 is more than 2'],
  },
  {
    name: 'autoscaling with fewer at most than at least',
    spec: 'components: { pilot: { k8s: { hpaSpec: { minReplicas: 5, maxReplicas: 2 } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.hpaSpec.minReplicas: must not be more than hpaSpec.maxReplicas, but 5 is more than 2',
    ],
  },
  {
    name: 'disruption budget with two bounds',
    spec: 'components: { pilot: { k8s: { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.podDisruptionBudget: must have only one of minAvailable, maxUnavailable',
    ],
  },
  {
    name: 'rollout that can never move',
    spec: 'components: { pilot: { k8s: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0% } } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.strategy.rollingUpdate.maxSurge: must not be 0 together with maxUnavailable',
    ],
  },
  {
    name: 'unquoted number in the environment',
    spec: 'components: { pilot: { k8s: { env: [{ name: PILOT_DEBOUNCE_MAX, value: 10 }] } } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.pilot.k8s.env[0].value: Invalid value: "integer"',
    problems: [
      'spec.components.pilot.k8s.env[0].value: must be text, but is the number 10: put it in quotes',
    ],
  },
  {
    name: 'variable with two sources',
    spec: 'components: { pilot: { k8s: { env: [{ name: A, value: x, valueFrom: { fieldRef: { fieldPath: metadata.name } } }] } } }',
    refusedAt: 'validate',
    problems: ['spec.components.pilot.k8s.env[0]: must have only one of value, valueFrom'],
  },
  {
    name: 'gateway without a name',
    spec: 'components: { ingressGateways: [{ enabled: true }] }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.ingressGateways[0].name: Required value',
    problems: ['spec.components.ingressGateways[0].name: is required'],
  },
  {
    name: 'two gateways of one name',
    spec: 'components: { ingressGateways: [{ name: public }, { name: public }] }',
    refusedAt: 'schema',
    apiServerSays: 'two gateways have the same name and namespace',
    problems: [
      'spec.components.ingressGateways[1].name: istio-system/public is also the gateway of spec.components.ingressGateways[0]',
    ],
  },
  {
    name: 'two gateways of one name, one with the namespace spelled out',
    spec: 'components: { ingressGateways: [{ name: public }, { name: public, namespace: istio-system }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[1].name: istio-system/public is also the gateway of spec.components.ingressGateways[0]',
    ],
  },
  {
    name: 'two gateways of different kinds with one name',
    spec: 'components: { ingressGateways: [{ name: public }], egressGateways: [{ name: public }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.egressGateways[0].name: istio-system/public is also the gateway of spec.components.ingressGateways[0]',
    ],
  },
  {
    name: 'address of a load balancer for an egress gateway, which has none by default',
    spec: 'components: { egressGateways: [{ name: out, k8s: { service: { loadBalancerIP: 10.0.0.1 } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.egressGateways[0].k8s.service.loadBalancerIP: is only for type LoadBalancer, but the type is ClusterIP',
    ],
  },
  {
    name: 'network of an east-west gateway as a label',
    spec: 'components: { eastWestGateways: [{ name: ew, label: { topology.istio.io/network: west } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.eastWestGateways[0].label["topology.istio.io/network"]: must be left out: say it as network of the gateway (did you mean "spec.components.eastWestGateways[0].network"?)',
    ],
  },
  {
    name: 'east-west gateway that does not listen where other networks send to',
    spec: 'components: { eastWestGateways: [{ name: ew, network: west, k8s: { service: { ports: [{ name: tls, port: 443 }] } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.eastWestGateways[0].k8s.service.ports: must have port 15443, or name another one by the label networking.istio.io/gatewayPort: other networks send to it',
    ],
  },
  {
    name: 'east-west gateway whose label names a port that it does not have',
    spec: `
values: { global: { network: west } }
components:
  eastWestGateways:
    - name: ew
      label: { networking.istio.io/gatewayPort: "16443" }
      k8s: { service: { ports: [{ name: tls, port: 15443 }] } }`,
    refusedAt: 'validate',
    problems: [
      'spec.components.eastWestGateways[0].k8s.service.ports: must have port 16443 of its label: other networks send to it',
    ],
  },
  {
    name: 'gateway with the name of a control plane',
    spec: 'components: { ingressGateways: [{ name: istiod }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].name: must not be istiod: names that begin with istiod are those of control planes',
    ],
  },
  {
    name: 'gateway name too long for a label',
    spec: `components: { ingressGateways: [{ name: ${'g'.repeat(64)} }] }`,
    refusedAt: 'schema',
    apiServerSays: 'spec.components.ingressGateways[0].name: Too long',
    problems: ['spec.components.ingressGateways[0].name: must not be longer than 63 characters'],
  },
  {
    name: 'two gateways that select the same pods',
    spec: `
components:
  ingressGateways:
    - name: public
    - { name: private, label: { app: public, istio: public } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[1].label: selects the same pods (app=public, istio=public) as spec.components.ingressGateways[0]',
    ],
  },
  {
    name: 'label value with a character that labels do not take',
    spec: 'components: { ingressGateways: [{ name: public, label: { team: "a b" } }] }',
    refusedAt: 'schema',
    apiServerSays: 'spec.components.ingressGateways[0].label.team: Invalid value: "a b"',
    problems: [
      'spec.components.ingressGateways[0].label.team: must be a label value: letters, digits, "-", "_" and ".", starting and ending with a letter or digit, but is the text "a b"',
    ],
  },
  {
    name: 'label that the operator sets',
    spec: 'components: { ingressGateways: [{ name: public, label: { istio.io/rev: canary } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].label["istio.io/rev"]: must be left out: the operator sets it',
    ],
  },
  {
    name: 'annotation key that Kubernetes does not take',
    spec: 'components: { pilot: { k8s: { podAnnotations: { "a b": "1" } } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.podAnnotations["a b"]: must be a label key: an optional DNS prefix and "/", then letters, digits, "-", "_" and "."',
    ],
  },
  {
    name: 'port out of range',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { ports: [{ name: http, port: 70000 }] } } }] }',
    refusedAt: 'schema',
    apiServerSays: 'should be less than or equal to 65535',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.ports[0].port: must be at most 65535, but is the number 70000',
    ],
  },
  {
    name: 'two Service ports of one number',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { ports: [{ name: a, port: 80 }, { name: b, port: 80 }] } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.ports[1].port: TCP 80 is also the port of ports[0]',
    ],
  },
  {
    name: 'two Service ports of one name',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { ports: [{ name: a, port: 80 }, { name: a, port: 443 }] } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.ports[1].name: a is also the name of ports[0]',
    ],
  },
  {
    name: 'Service port that the proxy needs itself',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { ports: [{ name: a, port: 80, targetPort: 15090 }] } } }] }',
    refusedAt: 'validate',
    problems: [
      "spec.components.ingressGateways[0].k8s.service.ports[0].targetPort: 15090 is taken in the pod by Envoy's metrics",
    ],
  },
  {
    name: 'CRDs of the Gateway API for an older Istio',
    spec: '{ version: "1.30", components: { base: { gatewayApi: Standard } } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.base.gatewayApi: brings the CRDs that Istio 1.31 is built with, and the version is 1.30: install those of its own release instead',
    ],
  },
  {
    name: 'CRDs of the Gateway API without the part that brings CRDs',
    spec: 'components: { base: { enabled: false, gatewayApi: Standard } }',
    refusedAt: 'validate',
    problems: [
      'spec.components.base.gatewayApi: has no effect while base is not enabled: enable it, or remove this',
    ],
  },
  {
    name: 'node port outside the range',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { ports: [{ name: a, port: 80, nodePort: 80 }] } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.ports[0].nodePort: must be from 30000 to 32767, but is 80',
    ],
  },
  {
    name: 'load balancer address of a Service that is none',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { type: ClusterIP, loadBalancerIP: 10.0.0.1 } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.loadBalancerIP: is only for type LoadBalancer, but the type is ClusterIP',
    ],
  },
  {
    name: 'unknown Service type',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { type: Loadbalancer } } }] }',
    refusedAt: 'schema',
    apiServerSays: 'Unsupported value: "Loadbalancer"',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.type: must be one of LoadBalancer, NodePort, ClusterIP, but is the text "Loadbalancer" (did you mean "LoadBalancer"?)',
    ],
  },
  {
    name: 'addresses and a range with impossible numbers',
    spec: 'components: { ingressGateways: [{ name: public, k8s: { service: { loadBalancerIP: 10.0.0.300, externalIPs: ["fd00::1", "fd00:::1"], loadBalancerSourceRanges: [10.0.0.300/8] } } }] }',
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].k8s.service.externalIPs[1]: must be an IP address such as 10.0.0.1, but is "fd00:::1"',
      'spec.components.ingressGateways[0].k8s.service.loadBalancerIP: must be an IP address such as 10.0.0.1, but is "10.0.0.300"',
      'spec.components.ingressGateways[0].k8s.service.loadBalancerSourceRanges[0]: must be a range of IP addresses such as 10.0.0.0/8, but is "10.0.0.300/8"',
    ],
  },
  {
    name: 'pause without a reason',
    spec: 'paused: {}',
    refusedAt: 'schema',
    apiServerSays: 'spec.paused.reason: Required value',
    problems: ['spec.paused.reason: is required'],
  },
  {
    name: 'pause until a day that does not exist',
    spec: 'paused: { reason: holidays, until: "2026-02-31T00:00:00Z" }',
    refusedAt: 'validate',
    problems: ['spec.paused.until: 2026-02-31T00:00:00Z is not a time: there is no such day or hour'],
  },
  {
    name: 'pause until something that is no time',
    spec: 'paused: { reason: holidays, until: tomorrow }',
    refusedAt: 'schema',
    apiServerSays: 'spec.paused.until: Invalid value: "tomorrow"',
    problems: [
      'spec.paused.until: must be a time as RFC 3339 has it, for example 2026-01-31T12:00:00Z, but is the text "tomorrow"',
    ],
  },
  {
    name: 'mode of mutual TLS that there is not',
    spec: 'security: { mtls: { mode: Strict } }',
    refusedAt: 'schema',
    apiServerSays: 'Unsupported value: "Strict"',
    problems: [
      'spec.security.mtls.mode: must be one of STRICT, PERMISSIVE, DISABLE, but is the text "Strict" (did you mean "STRICT"?)',
    ],
  },
  {
    name: 'path of a policy with a template',
    spec: 'security: { authorization: { allow: [{ name: read, to: { paths: ["/orders/{id}"] } }] } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.security.authorization.allow[0].to.paths[0] in body should match',
    problems: [
      'spec.security.authorization.allow[0].to.paths[0]: must be a path that begins with /, with * at its beginning, at its end, or alone, and no { or }, but is the text "/orders/{id}"',
    ],
  },
  {
    name: 'namespace with two modes of mutual TLS',
    spec: 'security: { mtls: { namespaces: [{ namespace: shop, mode: STRICT }, { namespace: shop, mode: DISABLE }] } }',
    refusedAt: 'validate',
    problems: [
      'spec.security.mtls.namespaces[1]: is a second shop beside spec.security.mtls.namespaces[0]: keep one of them',
    ],
  },
  {
    name: 'issuer whose keys are no JSON',
    spec: 'security: { jwt: [{ name: login, issuer: "https://login.example.com", jwks: "keys" }] }',
    refusedAt: 'validate',
    problems: ['spec.security.jwt[0].jwks: must be JSON: a JSON Web Key Set such as {"keys": [...]}'],
  },
  {
    name: 'cipher suite that does not exist',
    spec: 'security: { tls: { cipherSuites: [ECDHE-RSA-AES256-GCM-SHA385] } }',
    refusedAt: 'validate',
    problems: [
      'spec.security.tls.cipherSuites[0]: ECDHE-RSA-AES256-GCM-SHA385 is no cipher suite that proxies know: did you mean ECDHE-RSA-AES256-GCM-SHA384?',
    ],
  },
  {
    name: 'several problems at once',
    spec: `
profil: demo
version: "1.2"
components:
  ingressGateways:
    - { name: public, enabeld: false }
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.ingressGateways[0].enabeld: is not a field (did you mean "enabled"?)',
      'spec.profil: is not a field (did you mean "profile"?)',
      'spec.version: 1.2 is not supported; supported are 1.31 (up to 1.31.1), 1.30 (up to 1.30.3), 1.29 (up to 1.29.6)',
    ],
  },
  {
    name: 'external authority without an address',
    spec: 'certificateAuthority: { provider: External }',
    refusedAt: 'validate',
    problems: [
      'spec.certificateAuthority.external: must say which address proxies ask for certificates: provider is External',
    ],
  },
  {
    name: 'address of an external authority with a scheme',
    spec: 'certificateAuthority: { provider: External, external: { address: "https://ca.example.com" } }',
    refusedAt: 'schema',
    apiServerSays: 'spec.certificateAuthority.external.address',
    problems: [
      'spec.certificateAuthority.external.address: must be host:port, for example cert-manager-istio-csr.cert-manager.svc:443 (no scheme), but is the text "https://ca.example.com"',
    ],
  },
  {
    name: 'rotation of an authority that is external',
    spec: `
certificateAuthority:
  provider: External
  external: { address: "ca.example.com:443" }
  root: { lifetime: 87600h }
  rotation: { root: { schedule: "0 3 1 1 *" } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.certificateAuthority.root: has no effect with provider External, whose authority decides it: remove it',
      'spec.certificateAuthority.rotation: has no effect with provider External, whose authority decides it: remove it',
    ],
  },
  {
    name: 'patience with other clusters where there are none',
    spec: 'certificateAuthority: { rotation: { absentMembers: { proceedAfter: 24h } } }',
    refusedAt: 'validate',
    problems: [
      'spec.certificateAuthority.rotation.absentMembers: has no effect without spec.multiCluster: remove it, or say which clusters there are',
    ],
  },
  {
    name: 'patience with other clusters without a time',
    spec: `
multiCluster: { meshID: shop, clusterName: east }
certificateAuthority: { rotation: { absentMembers: { proceedAfter: soon } } }
`,
    refusedAt: 'schema',
    apiServerSays: 'spec.certificateAuthority.rotation.absentMembers.proceedAfter',
    problems: [
      'spec.certificateAuthority.rotation.absentMembers.proceedAfter: must be a duration with units, for example 30m or 1h30m, but is the text "soon"',
    ],
  },
  {
    name: 'patience with other clusters that does not say how long',
    spec: `
multiCluster: { meshID: shop, clusterName: east }
certificateAuthority: { rotation: { absentMembers: { after: 24h } } }
`,
    refusedAt: 'schema',
    apiServerSays: 'spec.certificateAuthority.rotation.absentMembers.proceedAfter: Required value',
    problems: [
      'spec.certificateAuthority.rotation.absentMembers.after: is not a field',
      'spec.certificateAuthority.rotation.absentMembers.proceedAfter: is required',
    ],
  },
  {
    name: 'two addresses of one authority, and istiod that should sign as well',
    spec: `
certificateAuthority:
  provider: External
  external: { address: "ca.example.com:443", trustBundle: { configMapName: roots } }
values:
  global: { caAddress: "other.example.com:443", trustBundleName: mine }
  pilot: { env: { ENABLE_CA_SERVER: "true", ENABLE_CLUSTER_TRUST_BUNDLE_API: "true" } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.values.global.caAddress: is other.example.com:443, but spec.certificateAuthority.external.address is ca.example.com:443: keep one of them',
      'spec.values.global.trustBundleName: has proxies look for their roots where nobody puts them: with provider External they are in ConfigMap istio-ca-root-cert; remove it',
      'spec.values.pilot.env.ENABLE_CA_SERVER: contradicts provider External, whose authority signs instead of istiod: remove it',
      'spec.values.pilot.env.ENABLE_CLUSTER_TRUST_BUNDLE_API: has proxies look for their roots where nobody puts them: with provider External they are in ConfigMap istio-ca-root-cert; remove it',
    ],
  },
  {
    name: 'settings of SPIRE for a mesh without it',
    spec: 'certificateAuthority: { spire: { csiDriver: csi.example.com } }',
    refusedAt: 'validate',
    problems: [
      'spec.certificateAuthority.spire: has no effect with provider SelfSigned: set provider: Spire, or remove it',
    ],
  },
  {
    name: 'istiod that does not sign, and nobody else who does',
    spec: `
components: { pilot: { k8s: { env: [{ name: A, value: b }, { name: ENABLE_CA_SERVER, value: "false" }] } } }
`,
    refusedAt: 'validate',
    problems: [
      'spec.components.pilot.k8s.env[1]: contradicts provider SelfSigned, with which istiod signs: set spec.certificateAuthority.provider: External, or remove it',
    ],
  },
];

export const badDocuments: readonly BadDocument[] = [
  {
    name: 'empty document',
    document: 'null',
    problems: ['must be a MeshOperator, but is null'],
  },
  {
    name: 'list of documents',
    document: '[]',
    problems: ['must be a MeshOperator, but is a list'],
  },
  {
    name: 'missing namespace',
    document: '{ apiVersion: meshoperator.dev/v1alpha1, kind: MeshOperator, metadata: { name: mesh } }',
    problems: [
      'metadata.namespace: is required: the control plane lives in the namespace of its MeshOperator, usually istio-system',
    ],
  },
  {
    name: 'missing metadata',
    document: '{ apiVersion: meshoperator.dev/v1alpha1, kind: MeshOperator }',
    problems: ['metadata: is required, with name and namespace'],
  },
  {
    name: 'name too long for the label that carries it',
    document: `{ apiVersion: meshoperator.dev/v1alpha1, kind: MeshOperator, metadata: { name: ${'m'.repeat(64)}, namespace: istio-system } }`,
    problems: ['metadata.name: must not be longer than 63 characters: it is a label of every object'],
  },
  {
    name: 'IstioOperator',
    document:
      '{ apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: { name: mesh, namespace: istio-system } }',
    problems: [
      'apiVersion: must be meshoperator.dev/v1alpha1, but is the text "install.istio.io/v1alpha1"',
      'kind: must be MeshOperator, but is the text "IstioOperator"',
    ],
  },
  {
    name: 'fields beside the spec',
    document:
      '{ apiVersion: meshoperator.dev/v1alpha1, kind: MeshOperator, metadata: { name: mesh, namespace: istio-system }, specs: {} }',
    problems: ['specs: is not a field (did you mean "spec"?)'],
  },
];
