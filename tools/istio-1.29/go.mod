module meshoperator.dev/tools/istio-1.29

go 1.26.0

require (
	istio.io/api v1.29.7-0.20260825191417-3928712abc67
	istio.io/istio v0.0.0-20260828220020-666bf5433196
)

// The commit that Istio's own go.mod requires is not published; the release is.
replace istio.io/api => istio.io/api v1.29.6
