module meshoperator.dev/tools/istio-1.30

go 1.26.0

require (
	istio.io/api v1.30.4-0.20260824163423-69099aec2678
	istio.io/istio v0.0.0-20260826214018-9739e10eb9d7
)

// The commit that Istio's own go.mod requires is not published; the release is.
replace istio.io/api => istio.io/api v1.30.3
